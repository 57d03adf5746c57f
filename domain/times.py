"""Times as messages carry them, and the days and months of a tenant's zone."""

from datetime import UTC, datetime, timedelta
from typing import Final

from domain.errors import MessageError
from domain.quarantine import BAD_TIME

EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)  # LoRaWAN 1.0 is of January 2015
FUTURE_TOLERANCE: Final = timedelta(days=2)  # wider than a clock that is a day off


def first_plausible(candidates: tuple[datetime | None, ...], now: datetime) -> datetime:
    """Return the first candidate between 2015 and two days from `now`, in UTC.

    Candidates are given best first (the gateway's time before the server's, say) and must be
    timezone-aware. Raises MessageError(BAD_TIME) when none will do.
    """
    latest = now + FUTURE_TOLERANCE
    for candidate in candidates:
        if candidate is not None and candidate.tzinfo is not None and EARLIEST <= candidate <= latest:
            return candidate.astimezone(UTC)
    said = ", ".join(str(candidate) for candidate in candidates) or "none"
    raise MessageError(BAD_TIME, f"times given: {said}")
