"""A message between its receipt and its acknowledgement."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple


class Origin(NamedTuple):
    """Where messages come from: a network server over one connection, or one HTTP request.

    `source` is the operator's name of the network server, `lns` the module that understands it. `acknowledge`
    is given the tokens of messages that have become durable, in the order of their receipt; it must not raise.
    """

    source: str
    lns: str
    acknowledge: Callable[[Sequence[int]], None]


class Message(NamedTuple):
    """One message as it came.

    `arrived_at` is when it reached Samara, however late it is stored. `size` is its true size: more than
    len(body) when it was over the limit and cut. `parent` is the trace of the request that brought it, if it said one
    (`traceparent`).
    """

    origin: Origin
    token: int
    topic: str
    body: bytes
    size: int
    arrived_at: datetime
    parent: str = ""
