"""What a form of file is, and the row that all of them write."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol


class Row(NamedTuple):
    """One measurement with where it was made. `measured_at` is UTC, `local_time` the tenant's and without zone."""

    site: str
    point: str
    dev_eui: str
    quantity: str
    unit: str
    channel: int
    measured_at: datetime
    local_time: datetime
    value: float
    latitude_deg: float | None
    longitude_deg: float | None


COLUMNS: Final = Row._fields


class Form(Protocol):
    """Writes one file. Call `begin`, then `add` any number of times, then exhaust `end`; `close` in any case."""

    media_type: str
    suffix: str

    def begin(self) -> bytes:
        """Return what the file begins with."""

    def add(self, rows: Sequence[Row]) -> bytes:
        """Return what these rows add, if it can be told already."""

    def end(self) -> Iterator[bytes]:
        """Yield the rest of the file."""

    def close(self) -> None:
        """Give back whatever is held."""
