"""The roll-up tables of plain PostgreSQL: an hour from its measurements, a day from its hours."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

_HOUR: Final = timedelta(hours=1)


class DeviceRange(NamedTuple):
    """Whole hours of one device, from `start` until `end`, excluded."""

    device_id: int
    start: datetime
    end: datetime


def device_ranges(marks: Collection[tuple[int, datetime]]) -> list[DeviceRange]:
    """Return the marked hours, those of a device that touch as one range."""
    ranges: list[DeviceRange] = []
    for device_id, hour in sorted(marks):
        if ranges and ranges[-1].device_id == device_id and ranges[-1].end >= hour:
            ranges[-1] = ranges[-1]._replace(end=hour + _HOUR)
        else:
            ranges.append(DeviceRange(device_id, hour, hour + _HOUR))
    return ranges


DELETE_HOURS: Final = """
DELETE FROM measurements_hourly
 USING unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS changed (device_id, start, stop)
 WHERE measurements_hourly.device_id = changed.device_id
   AND hour >= changed.start
   AND hour < changed.stop
"""

INSERT_HOURS: Final = """
INSERT INTO measurements_hourly
       (device_id, quantity_id, channel, hour, samples, total, low, high, first, first_at, last, last_at)
SELECT changed.device_id, quantity_id, channel, date_trunc('hour', measured_at, 'UTC'),
       count(*), sum(value), min(value), max(value),
       (array_agg(value ORDER BY measured_at))[1], min(measured_at),
       (array_agg(value ORDER BY measured_at DESC))[1], max(measured_at)
  FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS changed (device_id, start, stop)
  JOIN measurements ON measurements.device_id = changed.device_id
                   AND measured_at >= changed.start
                   AND measured_at < changed.stop
 GROUP BY changed.device_id, quantity_id, channel, date_trunc('hour', measured_at, 'UTC')
"""

DELETE_DAYS: Final = """
DELETE FROM measurements_daily
 USING (SELECT DISTINCT changed.device_id, date_trunc('day', hour, 'Europe/Paris') AS day
          FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS changed (device_id, start, stop),
               generate_series(start, stop - INTERVAL '1 hour', INTERVAL '1 hour') AS hour) AS changed
 WHERE measurements_daily.device_id = changed.device_id
   AND measurements_daily.day = changed.day
"""

INSERT_DAYS: Final = """
INSERT INTO measurements_daily
       (device_id, quantity_id, channel, day, samples, total, low, high, first, first_at, last, last_at)
SELECT changed.device_id, quantity_id, channel, changed.day, sum(samples), sum(total), min(low), max(high),
       (array_agg(first ORDER BY first_at))[1], min(first_at),
       (array_agg(last ORDER BY last_at DESC))[1], max(last_at)
  FROM (SELECT DISTINCT changed.device_id, date_trunc('day', hour, 'Europe/Paris') AS day
          FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS changed (device_id, start, stop),
               generate_series(start, stop - INTERVAL '1 hour', INTERVAL '1 hour') AS hour) AS changed
  JOIN measurements_hourly ON measurements_hourly.device_id = changed.device_id
                          AND hour >= changed.day
                          AND hour < date_add(changed.day, INTERVAL '1 day', 'Europe/Paris')
 GROUP BY changed.device_id, quantity_id, channel, changed.day
"""


async def rebuild(connection: asyncpg.Connection, ranges: Sequence[DeviceRange]) -> None:
    """Make anew the hours of these ranges and the days that they touch, of every quantity."""
    if not ranges:
        return
    columns = list(map(list, zip(*ranges, strict=True)))
    for statement in (DELETE_HOURS, INSERT_HOURS, DELETE_DAYS, INSERT_DAYS):
        await connection.execute(statement, *columns)
