"""A message between its receipt and its acknowledgement."""

from collections.abc import Callable, Sequence
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
    """One message as it came. `size` is its true size: more than len(body) when it was over the limit and cut."""

    origin: Origin
    token: int
    topic: str
    body: bytes
    size: int
