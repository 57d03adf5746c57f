"""All the measurements of a tenant's points, one by one, however many: read by a cursor, never held at once."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg


class Chosen(NamedTuple):
    """What of a tenant: of which points and quantities (None: all), from `start` until `end`, excluded."""

    tenant_id: int
    points: Sequence[int] | None
    quantities: Sequence[str] | None
    start: datetime
    end: datetime


class Part(NamedTuple):
    """A device while it measures a point."""

    site: str
    latitude_deg: float | None
    longitude_deg: float | None
    point: str
    dev_eui: str
    device_id: int
    point_id: int
    start: datetime
    end: datetime


SELECT_PARTS: Final = """
SELECT sites.name, sites.latitude_deg, sites.longitude_deg, points.name, dev_eui, device_id, point_id,
       greatest($3, lower(during)), least($4, upper(during))
  FROM sites
  JOIN points USING (site_id)
  JOIN assignments USING (point_id)
  JOIN devices USING (device_id)
 WHERE sites.tenant_id = $1
   AND ($2::integer[] IS NULL OR point_id = ANY ($2))
   AND during && tstzrange($3, $4)
 ORDER BY sites.name, points.name, point_id, lower(during) NULLS FIRST
"""


async def parts(connection: asyncpg.Connection, chosen: Chosen) -> list[Part]:
    """Return which devices to read, and when, in the order of the export."""
    rows = await connection.fetch(SELECT_PARTS, chosen.tenant_id, chosen.points, chosen.start, chosen.end)
    return [Part(*row) for row in rows]


class Measurement(NamedTuple):
    """One measurement, in the quantity's unit."""

    quantity: str
    unit: str
    channel: int
    measured_at: datetime
    value: float


# In the order of the key of measurements, month after month: nothing is sorted, nothing waits. A household's meter that
# is told by day is there with the last index of each day.
SELECT_MEASUREMENTS: Final = """
SELECT quantities.name, unit, channel, measured_at, value
  FROM measurements
  JOIN quantities USING (quantity_id)
 WHERE device_id = $1
   AND measured_at >= $2
   AND measured_at < $3
   AND ($4::text[] IS NULL OR quantities.name = ANY ($4))
 UNION ALL
SELECT quantities.name, unit, channel, last_at, last
  FROM measurements_daily
  JOIN quantities USING (quantity_id)
 WHERE device_id = $1
   AND day >= $2
   AND day < $3
   AND ($4::text[] IS NULL OR quantities.name = ANY ($4))
   AND by_day_alone($5, quantity_id)
"""


SELECT_COUNT: Final = f"""
WITH told AS ({SELECT_MEASUREMENTS})
SELECT count(*) FROM told
"""  # noqa: S608 - of constants


async def count(connection: asyncpg.Connection, chosen: Chosen, part: Part) -> int:
    """Return how many measurements there are of a part."""
    found: int = await connection.fetchval(SELECT_COUNT, *_asked(part, chosen))
    return found


def _asked(part: Part, chosen: Chosen) -> tuple[object, ...]:
    return part.device_id, part.start, part.end, chosen.quantities, part.point_id


async def measurements(
    connection: asyncpg.Connection, chosen: Chosen, part: Part, *, at_once: int
) -> AsyncIterator[list[Measurement]]:
    """Yield the measurements of a part, at most `at_once` together. In a transaction, as cursors are."""
    cursor = await connection.cursor(SELECT_MEASUREMENTS, *_asked(part, chosen))
    while rows := await cursor.fetch(at_once):
        yield [Measurement(*row) for row in rows]
