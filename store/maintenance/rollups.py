"""The roll-up tables of plain PostgreSQL: an hour from its measurements, a day from its hours."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from store.maintenance.days import day_of

_HOUR: Final = timedelta(hours=1)


class DeviceRange(NamedTuple):
    """Whole hours of one device, from `start` until `end`, excluded."""

    device_id: int
    start: datetime
    end: datetime


def device_ranges(marks: Iterable[tuple[int, datetime]]) -> list[DeviceRange]:
    """Return the marked hours, those of a device that touch as one range."""
    ordered = sorted(marks)
    if not ordered:
        return []
    ranges: list[DeviceRange] = []
    device_id, start = ordered[0]
    end = start
    for marked_id, hour in ordered:
        if marked_id != device_id or hour > end:
            ranges.append(DeviceRange(device_id, start, end))
            device_id, start = marked_id, hour
        end = hour + _HOUR
    return [*ranges, DeviceRange(device_id, start, end)]


def device_days(ranges: Iterable[DeviceRange]) -> list[DeviceRange]:
    """Return the territory's days that hold these hours, each of a device once."""
    found: set[DeviceRange] = set()
    for device_id, start, end in ranges:
        day = day_of(start)
        found.add(DeviceRange(device_id, *day))
        while day.end < end:
            day = day_of(day.end)
            found.add(DeviceRange(device_id, *day))
    return sorted(found)


# OFFSET 0 keeps each range a search of its own in the index: joined, the planner may choose to read years of rows.
DELETE_HOURS: Final = """
DELETE FROM measurements_hourly
 WHERE ctid = ANY(ARRAY(SELECT held.ctid
                          FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[])
                            AS changed (device_id, start, stop)
                         CROSS JOIN LATERAL (SELECT ctid
                                               FROM measurements_hourly
                                              WHERE device_id = changed.device_id
                                                AND hour >= changed.start
                                                AND hour < changed.stop
                                             OFFSET 0) AS held))
"""

# Sorted once, by the subquery: aggregates that sort by themselves begin a sort for each hour, most of one sample. Its
# order begins with the groups': else the planner may sort again, which keeps no order within a group.
INSERT_HOURS: Final = """
INSERT INTO measurements_hourly
       (device_id, quantity_id, channel, hour, samples, total, low, high, first, first_at, last, last_at)
SELECT device_id, quantity_id, channel, hour, count(*), sum(value), min(value), max(value),
       (array_agg(value))[1], min(measured_at), (array_agg(value))[count(*)], max(measured_at)
  FROM (SELECT changed.device_id, quantity_id, channel, measured_at, value,
               date_trunc('hour', measured_at, 'UTC') AS hour
          FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS changed (device_id, start, stop)
         CROSS JOIN LATERAL (SELECT quantity_id, channel, measured_at, value
                               FROM measurements
                              WHERE device_id = changed.device_id
                                AND measured_at >= changed.start
                                AND measured_at < changed.stop
                             OFFSET 0) AS held
         ORDER BY changed.device_id, quantity_id, channel, hour, measured_at) AS sorted
 GROUP BY device_id, quantity_id, channel, hour
"""

DELETE_DAYS: Final = """
DELETE FROM measurements_daily
 WHERE ctid = ANY(ARRAY(SELECT held.ctid
                          FROM unnest($1::integer[], $2::timestamptz[]) AS changed (device_id, day)
                         CROSS JOIN LATERAL (SELECT ctid
                                               FROM measurements_daily
                                              WHERE device_id = changed.device_id
                                                AND day = changed.day
                                             OFFSET 0) AS held))
"""

INSERT_DAYS: Final = """
INSERT INTO measurements_daily
       (device_id, quantity_id, channel, day, samples, total, low, high, first, first_at, last, last_at)
SELECT device_id, quantity_id, channel, day, sum(samples), sum(total), min(low), max(high),
       (array_agg(first))[1], min(first_at), (array_agg(last))[count(*)], max(last_at)
  FROM (SELECT changed.day, held.*
          FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) AS changed (device_id, day, stop)
         CROSS JOIN LATERAL (SELECT *
                               FROM measurements_hourly
                              WHERE device_id = changed.device_id
                                AND hour >= changed.day
                                AND hour < changed.stop
                             OFFSET 0) AS held
         ORDER BY held.device_id, quantity_id, channel, day, hour) AS sorted
 GROUP BY device_id, quantity_id, channel, day
"""


async def rebuild(connection: asyncpg.Connection, marks: Collection[tuple[int, datetime]]) -> None:
    """Make anew these (device, hour) and the days that they are of, of every quantity."""
    if not marks:
        return
    ranges = device_ranges(marks)
    hours = list(map(list, zip(*ranges, strict=True)))
    await connection.execute(DELETE_HOURS, *hours)
    await connection.execute(INSERT_HOURS, *hours)
    device_ids, starts, ends = map(list, zip(*device_days(ranges), strict=True))
    await connection.execute(DELETE_DAYS, device_ids, starts)
    await connection.execute(INSERT_DAYS, device_ids, starts, ends)
