"""Where a receiver hands a message over: MQTT and HTTP know this, and not what stands behind it."""

from typing import Protocol

from domain.errors import SamaraError


class IntakeClosedError(SamaraError):
    """Ingest cannot take a message now: it is full, or it is stopping. The same message may be sent again later."""


class Intake(Protocol):
    """What takes messages in."""

    async def deliver(self, source: str, lns: str, topic: str, body: bytes, parent: str = "") -> None:
        """Return once the message is durable (stored, or quarantined). `parent` is its trace, if it has one.

        Raises IntakeClosedError when it cannot be taken now.
        """
