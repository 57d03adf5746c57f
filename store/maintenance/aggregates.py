"""The continuous aggregates of TimescaleDB: refreshed where something changed, and only there."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from store.maintenance.days import TimeRange, day_of

_HOUR: Final = timedelta(hours=1)


def day_spans(hours: Collection[datetime]) -> dict[TimeRange, TimeRange]:
    """Return the days of these hours, each with the range that holds its hours.

    No statement refreshes more than a day: it takes seconds for a whole fleet, and statements have a time limit.
    """
    found: dict[TimeRange, TimeRange] = {}
    for hour in sorted(hours):
        day = day_of(hour)
        known = found.get(day, TimeRange(hour, hour))
        found[day] = TimeRange(known.start, hour + _HOUR)
    return found


INSERT_CHANGED_DAYS: Final = """
INSERT INTO changed_days (day) SELECT unnest($1::timestamptz[]) ON CONFLICT DO NOTHING
"""


async def refresh_hours(connection: asyncpg.Connection, hours: Collection[datetime]) -> None:
    """Bring the hourly aggregate up to date where these hours changed, and remember their days.

    Outside a transaction: each refresh commits by itself.
    """
    spans = day_spans(hours)
    await connection.execute(INSERT_CHANGED_DAYS, [day.start for day in spans])
    for span in spans.values():
        await _refresh(connection, "measurements_hourly", span)


SELECT_CHANGED_DAYS: Final = """
SELECT day FROM changed_days ORDER BY day
"""

DELETE_CHANGED_DAY: Final = """
DELETE FROM changed_days WHERE day = $1
"""


async def refresh_days(connection: asyncpg.Connection, now: datetime) -> None:
    """Bring the daily aggregate up to date, of the days that are over. Outside a transaction, as above."""
    changed = [day_of(record["day"]) for record in await connection.fetch(SELECT_CHANGED_DAYS)]
    for day in changed:
        if day.end <= now:
            await _refresh(connection, "measurements_daily", day)
            await connection.execute(DELETE_CHANGED_DAY, day.start)


_REFRESH: Final = "CALL refresh_continuous_aggregate('{aggregate}', '{start}'::timestamptz, '{end}'::timestamptz)"


async def _refresh(connection: asyncpg.Connection, aggregate: str, span: TimeRange) -> None:
    await connection.execute(
        _REFRESH.format(aggregate=aggregate, start=span.start.isoformat(), end=span.end.isoformat())
    )
