"""The days of the territory, which are those of measurements_daily."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

TERRITORY: Final = ZoneInfo("Europe/Paris")


class TimeRange(NamedTuple):
    """From `start` until `end`, excluded."""

    start: datetime
    end: datetime


def day_of(moment: datetime) -> TimeRange:
    """Return the day of the territory that holds `moment`, in UTC: 23 to 25 hours."""
    local = moment.astimezone(TERRITORY).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return TimeRange(local.astimezone(UTC), (local + timedelta(days=1)).astimezone(UTC))
