"""One quantity of a point over time: its samples, or what became of it in each interval."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, cast
from zoneinfo import ZoneInfo

from domain.errors import NotFoundError, SamaraError
from domain.quantities import Kind
from store.reading.buckets import (
    CounterBucket,
    GaugeBucket,
    Run,
    StateBucket,
    counter_buckets,
    gauge_buckets,
    state_buckets,
)
from store.reading.every import Every, edges
from store.reading.measured import Track, opening, pieces, samples
from store.reading.pages import Reader
from store.reading.pieces import Segment

MAX_SAMPLES: Final = 500_000


class TooManySamplesError(SamaraError):
    """The range holds too many samples to be told one by one; ask for intervals, or for a shorter range."""


class Sample(NamedTuple):
    """One measurement, in the quantity's unit."""

    measured_at: datetime
    value: float


Rows = list[Sample] | list[GaugeBucket] | list[CounterBucket] | list[StateBucket]


class Series(NamedTuple):
    """Rows in the order of time: samples, or the buckets that go with `kind`, the empty ones included.

    `by_day`: a household's meter, of which the reader is shown days and nothing finer.
    """

    point_id: int
    quantity: str
    channel: int
    unit: str  # UCUM
    kind: Kind
    rows: Rows
    by_day: bool = False


SELECT_QUANTITY: Final = """
SELECT quantity_id, unit, quantities.kind, by_day_alone(point_id, quantity_id) AS by_day
  FROM points, quantities
 WHERE of_tenant_id = $1
   AND point_id = $2
   AND quantities.name = $3
"""

SELECT_SEGMENTS: Final = """
SELECT device_id,
       greatest(lower(during), $2::timestamptz) AS start,
       least(upper(during), $3::timestamptz) AS "end",
       lower(during) AS since
  FROM assignments
 WHERE point_id = $1
   AND during && tstzrange($2, $3)
 ORDER BY start
"""


class _Known(NamedTuple):
    """A quantity of a point that there is."""

    point_id: int
    quantity: str
    unit: str
    track: Track

    def series(self, rows: Rows) -> Series:
        return Series(
            point_id=self.point_id,
            quantity=self.quantity,
            channel=self.track.channel,
            unit=self.unit,
            kind=self.track.kind,
            rows=rows,
            by_day=self.track.by_day,
        )


async def _known(reader: Reader, tenant_id: int, point_id: int, quantity: str, channel: int) -> _Known:
    row = await reader.fetchrow(SELECT_QUANTITY, tenant_id, point_id, quantity)
    if row is None:
        raise NotFoundError(f"no {quantity!r} at point {point_id}")
    kind = cast("Kind", row["kind"])
    track = Track(quantity_id=row["quantity_id"], channel=channel, kind=kind, by_day=row["by_day"])
    return _Known(point_id, quantity, row["unit"], track)


async def series(
    reader: Reader,
    tenant_id: int,
    point_id: int,
    quantity: str,
    channel: int,
    *,
    start: datetime,
    end: datetime,
    every: Every | None,
    zone: ZoneInfo,
) -> Series:
    """Return what was measured between `start` and `end` (excluded), all of it (`every` None) or by intervals.

    Each device counts for the time during which it was assigned to the point. The first and the last interval are
    cut at `start` and `end`: `end` is not in the future, or a state is taken to last until then. Raises
    NotFoundError if this tenant has no such point or there is no such quantity, ValueError for times or an `every`
    that cannot be (see `every.edges`), TooManySamplesError past MAX_SAMPLES samples.
    """
    bounds = edges(start, end, "year" if every is None else every, zone)
    if every is not None:
        return await intervals(reader, tenant_id, point_id, quantity, channel, bounds=bounds)
    known = await _known(reader, tenant_id, point_id, quantity, channel)
    return known.series(await _samples(reader, known.track, await _segments(reader, point_id, bounds)))


async def intervals(
    reader: Reader, tenant_id: int, point_id: int, quantity: str, channel: int, *, bounds: Sequence[datetime]
) -> Series:
    """Return what was measured between each two `bounds`, which do not decrease; as `series` otherwise."""
    known = await _known(reader, tenant_id, point_id, quantity, channel)
    runs = await _runs(reader, known.track, await _segments(reader, point_id, bounds), bounds)
    return known.series(_buckets(known.track.kind, bounds, runs))


async def _segments(reader: Reader, point_id: int, bounds: Sequence[datetime]) -> list[Segment]:
    return [Segment(*found) for found in await reader.fetch(SELECT_SEGMENTS, point_id, bounds[0], bounds[-1])]


async def _samples(reader: Reader, track: Track, segments: Sequence[Segment]) -> list[Sample]:
    found: list[Sample] = []
    for segment in segments:
        remaining = MAX_SAMPLES - len(found)
        records = await samples(reader, track, segment, limit=remaining + 1)
        if len(records) > remaining:
            raise TooManySamplesError
        found += [Sample(*record) for record in records]
    return found


async def _runs(reader: Reader, track: Track, segments: Sequence[Segment], bounds: Sequence[datetime]) -> list[Run]:
    return [
        Run(
            opening=await opening(reader, track, segment),
            pieces=await pieces(reader, track, segment, bounds),
            end=segment.end,
        )
        for segment in segments
    ]


def _buckets(kind: Kind, bounds: Sequence[datetime], runs: Sequence[Run]) -> Rows:
    if kind == "gauge":
        return gauge_buckets(bounds, runs)
    if kind == "counter":
        return counter_buckets(bounds, runs)
    return state_buckets(bounds, runs)
