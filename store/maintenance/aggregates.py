"""The continuous aggregates of TimescaleDB: refreshed where something changed, and only there."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from store.maintenance.days import TimeRange, day_of

_HOUR: Final = timedelta(hours=1)
_NEAR: Final = timedelta(days=1)  # two refreshes cost more than looking at what lies between


def spans(ranges: Iterable[TimeRange]) -> list[TimeRange]:
    """Return ranges that hold all of these, as one where they are near each other."""
    found: list[TimeRange] = []
    for start, end in sorted(ranges):
        if found and start - found[-1].end <= _NEAR:
            found[-1] = TimeRange(found[-1].start, max(found[-1].end, end))
        else:
            found.append(TimeRange(start, end))
    return found


INSERT_CHANGED_DAYS: Final = """
INSERT INTO changed_days (day) SELECT unnest($1::timestamptz[]) ON CONFLICT DO NOTHING
"""


async def refresh_hours(connection: asyncpg.Connection, hours: Collection[datetime]) -> None:
    """Bring the hourly aggregate up to date where these hours changed, and remember their days.

    Outside a transaction: each refresh commits by itself.
    """
    await connection.execute(INSERT_CHANGED_DAYS, sorted({day_of(hour).start for hour in hours}))
    for span in spans(TimeRange(hour, hour + _HOUR) for hour in hours):
        await _refresh(connection, "measurements_hourly", span)


SELECT_CHANGED_DAYS: Final = """
SELECT day FROM changed_days ORDER BY day
"""

DELETE_CHANGED_DAYS: Final = """
DELETE FROM changed_days WHERE day = ANY($1::timestamptz[])
"""


async def refresh_days(connection: asyncpg.Connection, now: datetime) -> None:
    """Bring the daily aggregate up to date, of the days that are over. Outside a transaction, as above."""
    changed = [day_of(record["day"]) for record in await connection.fetch(SELECT_CHANGED_DAYS)]
    over = [day for day in changed if day.end <= now]
    for span in spans(over):
        await _refresh(connection, "measurements_daily", span)
    if over:
        await connection.execute(DELETE_CHANGED_DAYS, [day.start for day in over])


_REFRESH: Final = "CALL refresh_continuous_aggregate('{aggregate}', '{start}'::timestamptz, '{end}'::timestamptz)"


async def _refresh(connection: asyncpg.Connection, aggregate: str, span: TimeRange) -> None:
    await connection.execute(
        _REFRESH.format(aggregate=aggregate, start=span.start.isoformat(), end=span.end.isoformat())
    )
