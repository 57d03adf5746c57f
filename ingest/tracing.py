"""What ingest tells a tracer: a batch from receipt to acknowledgement, and its steps. Nobody listens by default.

`deploy/tracing.py` has the one that speaks OpenTelemetry.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Protocol

from ingest.messages import Message

_NOTHING: Final = nullcontext()


class Tracing(Protocol):
    """Where time went, a batch at a time."""

    def batch(self, messages: Sequence[Message]) -> AbstractContextManager[None]:
        """Enter while a batch becomes durable."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """Enter while one step of the batch of this task is done."""


class Untraced:
    """Nobody listens: two calls a batch, and nothing else."""

    def batch(self, _messages: Sequence[Message]) -> AbstractContextManager[None]:
        """Return what does nothing."""
        return _NOTHING

    def step(self, _name: str) -> AbstractContextManager[None]:
        """Return what does nothing."""
        return _NOTHING


UNTRACED: Final = Untraced()
