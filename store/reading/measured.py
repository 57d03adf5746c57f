"""The measurements of one device, one by one or as pieces."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.quantities import Kind
from store.reading.pages import Reader
from store.reading.pieces import Piece, Segment, sample


class Track(NamedTuple):
    """What is followed: a quantity and channel, and how it behaves."""

    quantity_id: int
    channel: int
    kind: Kind


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


async def samples(reader: Reader, track: Track, segment: Segment, *, limit: int | None) -> list[asyncpg.Record]:
    """Return (measured_at, value) in the order of time, no more than `limit`."""
    return await reader.fetch(
        SELECT_SAMPLES, segment.device_id, track.quantity_id, track.channel, segment.start, segment.end, limit
    )


SELECT_OPENING: Final = """
SELECT measured_at, value
  FROM measurements
 WHERE device_id = $1
   AND quantity_id = $2
   AND channel = $3
   AND measured_at < $4
   AND ($5::timestamptz IS NULL OR measured_at >= $5)
 ORDER BY measured_at DESC
 LIMIT 1
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
    """Return what the device measured in the segment, in pieces that each lie between two of the `bounds`."""
    del bounds
    return [sample(*row) for row in await samples(reader, track, segment, limit=None)]
