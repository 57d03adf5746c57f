"""What a network server's history is to the repair, whatever its kind."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from domain.errors import SamaraError

# A frame is looked for around its gap, not only inside it: a history orders frames by its own clock (the application
# server's, later than the network server's; a gateway's that is a little off).
BEFORE: Final = timedelta(minutes=1)
AFTER: Final = timedelta(minutes=5)


class ArchiveUnavailableError(SamaraError):
    """The network server's history does not answer; the same call may work later."""


class Window(NamedTuple):
    """When a device sent frames that never came: between two moments, both left out."""

    dev_eui: str
    after: datetime
    before: datetime


class Archived(NamedTuple):
    """A message of the history as the live path would have heard it.

    `size` is its true size: more than len(body) when it was too large and cut.
    """

    topic: str
    body: bytes
    size: int


class Archive(Protocol):
    """A network server's history."""

    def read(self, windows: Sequence[Window]) -> AsyncGenerator[Archived, None]:
        """Yield the uplinks of these windows, perhaps others too, perhaps some twice, a bounded number in memory.

        `windows` are those of `ingest.repair.windows`: no two of a device overlap. Raises ArchiveUnavailableError
        when retries did not help, ConfigurationError when access is refused.
        """
