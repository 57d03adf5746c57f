"""The measurements of one device, one by one or as pieces."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.quantities import Kind
from store.reading.every import Every, floor
from store.reading.ladder import HOUR, TERRITORY, Range, joined, steps, units, whole_units
from store.reading.pages import Reader
from store.reading.pieces import Piece, Segment, sample, tells_all


class Track(NamedTuple):
    """What is followed: a quantity and channel, and how it behaves. `by_day`: nothing finer than days is shown."""

    quantity_id: int
    channel: int
    kind: Kind
    by_day: bool = False


SELECT_SAMPLES: Final = """
SELECT measured_at, value
  FROM measurements
 WHERE device_id = $1
   AND quantity_id = $2
   AND channel = $3
   AND measured_at >= $4
   AND measured_at < $5
 ORDER BY measured_at
 LIMIT $6
"""


async def samples(reader: Reader, track: Track, segment: Segment, *, limit: int) -> list[asyncpg.Record]:
    """Return (measured_at, value) in the order of time, no more than `limit`."""
    return await reader.fetch(
        SELECT_SAMPLES, segment.device_id, track.quantity_id, track.channel, segment.start, segment.end, limit
    )


SELECT_OPENING: Final = """
SELECT measured_at, value FROM last_before($1, $2, $3, $4, $5)
"""


async def opening(reader: Reader, track: Track, segment: Segment) -> Piece | None:
    """Return the last sample that the device measured at the point before the segment; None if it began with it."""
    if track.kind == "gauge" or segment.since == segment.start:
        return None
    row = await reader.fetchrow(
        SELECT_OPENING, segment.device_id, track.quantity_id, track.channel, segment.start, segment.since
    )
    return None if row is None else sample(*row)


async def pieces(reader: Reader, track: Track, segment: Segment, bounds: Sequence[datetime]) -> list[Piece]:
    """Return what the device measured in the segment, in pieces that each lie between two `bounds`, by their first.

    Those of a level may lie around each other. Long ranges are read from the roll-ups. What changed since those were
    made is read from the measurements, so that the answer is the same at any moment.
    """
    found: list[Piece] = []
    remaining = [Range(segment.start, segment.end)]
    ladder: list[Every] = ["day"] if track.by_day else steps(remaining[0], bounds)
    changed = await _changed_hours(reader, segment) if ladder and not track.by_day else []
    for step in ladder:
        inside, remaining = whole_units(remaining, step)
        stale = {floor(hour, step, TERRITORY) for hour in changed}
        if step == "day" and not track.by_day:
            stale.update(await _changed_days(reader, segment))
        left = {unit for unit in stale if any(part.start <= unit < part.end for part in inside)}
        if track.kind == "gauge":
            found += await _gathered(reader, track, segment.device_id, step, inside, bounds=bounds, stale=left)
        else:
            for start, *figures in await _rolled_up(reader, track, segment.device_id, step, inside):
                piece = Piece(*figures)
                if not track.by_day and (start in stale or not tells_all(piece, track.kind)):
                    left.add(start)
                else:
                    found.append(piece)
        remaining = joined([*remaining, *units(left, step)])
    if not track.by_day:
        found += await _sampled(reader, track, segment.device_id, remaining)
    return sorted(found, key=_first_at) if ladder else found


def _first_at(piece: Piece) -> datetime:
    return piece.first_at


SELECT_CHANGED_HOURS: Final = """
SELECT DISTINCT hour
  FROM changed_hours
 WHERE device_id = $1
   AND hour >= $2
   AND hour < $3
"""


async def _changed_hours(reader: Reader, segment: Segment) -> list[datetime]:
    rows = await reader.fetch(SELECT_CHANGED_HOURS, segment.device_id, segment.start, segment.end)
    return [row["hour"] for row in rows]


SELECT_CHANGED_DAYS: Final = """
SELECT day
  FROM changed_days
 WHERE day >= $1
   AND day < $2
"""


async def _changed_days(reader: Reader, segment: Segment) -> list[datetime]:
    rows = await reader.fetch(SELECT_CHANGED_DAYS, segment.start, segment.end)
    return [row["day"] for row in rows]


def _of_days(of_hours: str) -> str:
    """Return the statement that reads days as this one reads hours."""
    return of_hours.replace("measurements_hourly", "measurements_daily").replace("hour", "day")


# OFFSET 0: what the API reads is a view that hides other tenants' rows, and a range reaches into it only from within.
SELECT_HOURS: Final = """
SELECT hour, samples, total, low, high, first, first_at, last, last_at
  FROM unnest($4::timestamptz[], $5::timestamptz[]) AS range (start, stop)
 CROSS JOIN LATERAL (SELECT *
                       FROM measurements_hourly
                      WHERE device_id = $1
                        AND quantity_id = $2
                        AND channel = $3
                        AND hour >= range.start
                        AND hour < range.stop
                     OFFSET 0) AS rolled_up
"""

SELECT_DAYS: Final = _of_days(SELECT_HOURS)


async def _rolled_up(
    reader: Reader, track: Track, device_id: int, step: Every, ranges: Sequence[Range]
) -> list[asyncpg.Record]:
    if not ranges:
        return []
    statement = SELECT_HOURS if step == HOUR else SELECT_DAYS
    starts, ends = [one.start for one in ranges], [one.end for one in ranges]
    return await reader.fetch(statement, device_id, track.quantity_id, track.channel, starts, ends)


# A level's roll-ups add up, whatever they are: those between two bounds come as one piece. A year of hours read for
# a chart is ten times as many rows as the chart has columns.
SELECT_GATHERED_HOURS: Final = """
SELECT sum(samples)::bigint, sum(total), min(low), max(high),
       (array_agg(first ORDER BY hour))[1], min(first_at), (array_agg(last ORDER BY hour))[count(*)], max(last_at)
  FROM unnest($4::timestamptz[], $5::timestamptz[]) AS range (start, stop)
 CROSS JOIN LATERAL (SELECT *
                       FROM measurements_hourly
                      WHERE device_id = $1
                        AND quantity_id = $2
                        AND channel = $3
                        AND hour >= range.start
                        AND hour < range.stop
                     OFFSET 0) AS rolled_up
 WHERE hour <> ALL ($7::timestamptz[])
 GROUP BY width_bucket(hour, $6::timestamptz[])
"""

SELECT_GATHERED_DAYS: Final = _of_days(SELECT_GATHERED_HOURS)


async def _gathered(
    reader: Reader,
    track: Track,
    device_id: int,
    step: Every,
    ranges: Sequence[Range],
    *,
    bounds: Sequence[datetime],
    stale: Collection[datetime],
) -> list[Piece]:
    if not ranges:
        return []
    statement = SELECT_GATHERED_HOURS if step == HOUR else SELECT_GATHERED_DAYS
    starts, ends = [one.start for one in ranges], [one.end for one in ranges]
    of_series = (device_id, track.quantity_id, track.channel)
    return [Piece(*row) for row in await reader.fetch(statement, *of_series, starts, ends, bounds, list(stale))]


SELECT_SAMPLES_OF_RANGES: Final = """
SELECT measured_at, value
  FROM unnest($4::timestamptz[], $5::timestamptz[]) AS range (start, stop)
 CROSS JOIN LATERAL (SELECT measured_at, value
                       FROM measurements
                      WHERE device_id = $1
                        AND quantity_id = $2
                        AND channel = $3
                        AND measured_at >= range.start
                        AND measured_at < range.stop
                     OFFSET 0) AS one
 ORDER BY measured_at
"""


async def _sampled(reader: Reader, track: Track, device_id: int, ranges: Sequence[Range]) -> list[Piece]:
    if not ranges:
        return []
    starts, ends = [one.start for one in ranges], [one.end for one in ranges]
    rows = await reader.fetch(SELECT_SAMPLES_OF_RANGES, device_id, track.quantity_id, track.channel, starts, ends)
    return [sample(*row) for row in rows]
