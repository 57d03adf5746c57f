"""What the points of a tenant used, or were, hour by hour: from roll-ups, in which the last two hours are not yet."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from store.reading.growth import Asked, of_growth
from store.reading.pages import Reader
from store.reading.territory import Tenant


class HourUse(NamedTuple):
    """What one meter counted in one hour, in the quantity's unit. `weight`: see growth.py."""

    site_id: int
    point_id: int
    quantity: str
    start: datetime
    amount: float
    weight: int = 1


# What was used during a silence would make one hour of many.
SELECT_HOURS: Final = of_growth("""
SELECT site_id, point_id, name, at, grown, weight
  FROM grown
  JOIN quantities USING (quantity_id)
 WHERE after = interval '1 hour'
   AND grown >= 0
 ORDER BY point_id, quantity_id, channel, at
""")


async def hours(
    reader: Reader, tenant: Tenant, quantities: Collection[str], start: datetime, end: datetime
) -> list[HourUse]:
    """Return what each meter counted in each whole hour of [start, end) that follows one with a message."""
    asked = Asked([tenant.tenant_id], quantities, [(start, end)], tenant.time_zone, by_hour=True)
    return [HourUse(*row) for row in await reader.fetch(SELECT_HOURS, *asked.parameters())]


class HourLevel(NamedTuple):
    """The mean of a level in one hour, in the quantity's unit, with the extremes."""

    site_id: int
    point_id: int
    quantity: str
    start: datetime
    mean: float
    low: float
    high: float


SELECT_LEVELS: Final = """
SELECT site_id, point_id, name, hour, mean, told.low, told.high
  FROM (SELECT site_id, point_id, quantity_id, hour, total / samples AS mean, low, high
          FROM points
          JOIN assignments USING (point_id)
         CROSS JOIN LATERAL (SELECT *
                               FROM measurements_hourly
                              WHERE device_id = assignments.device_id
                                AND quantity_id = ANY (ARRAY(SELECT quantity_id FROM quantities WHERE name = ANY ($2)))
                                AND channel = 0
                                AND hour >= greatest($3::timestamptz, lower(during))
                                AND hour < least($4::timestamptz, upper(during))
                             OFFSET 0) AS rolled_up
         WHERE points.of_tenant_id = $1
           AND during && tstzrange($3, $4)) AS told
  JOIN quantities USING (quantity_id)
 ORDER BY point_id, quantity_id, hour
"""


async def levels(
    reader: Reader, tenant_id: int, quantities: Collection[str], start: datetime, end: datetime
) -> list[HourLevel]:
    """Return what each point's levels were in each hour of [start, end) with a message."""
    return [HourLevel(*row) for row in await reader.fetch(SELECT_LEVELS, tenant_id, list(quantities), start, end)]


class Hour(NamedTuple):
    """An hour of one quantity at a site: what its counters grew by together, or the mean of one point's level."""

    quantity: str
    point_id: int | None  # of a level; None of counters, which are added up
    hour: datetime
    increase: float | None
    mean: float | None


SELECT_COUNTED_AT_SITE: Final = of_growth("""
SELECT name, NULL, at, increase, NULL
  FROM (SELECT quantity_id, at, sum(counted) AS increase
          FROM grown
         WHERE weight <> 0
         GROUP BY quantity_id, at) AS counted
  JOIN quantities USING (quantity_id)
 ORDER BY name, at
""")

SELECT_LEVELS_AT_SITE: Final = """
SELECT name, point_id, hour, NULL, mean
  FROM (SELECT quantity_id, point_id, hour, sum(total) / sum(samples) AS mean
          FROM points
          JOIN assignments USING (point_id)
         CROSS JOIN LATERAL (SELECT *
                               FROM measurements_hourly
                              WHERE device_id = assignments.device_id
                                AND quantity_id = ANY (ARRAY(SELECT quantity_id
                                                               FROM quantities
                                                              WHERE name = ANY ($3) AND kind = 'gauge'))
                                AND hour >= greatest($4::timestamptz, lower(during))
                                AND hour < least($5::timestamptz, upper(during))
                             OFFSET 0) AS rolled_up
         WHERE points.of_tenant_id = $1
           AND site_id = $2
         GROUP BY quantity_id, point_id, hour) AS told
  JOIN quantities USING (quantity_id)
 ORDER BY name, point_id, hour
"""


async def hours_of_site(
    reader: Reader, tenant: Tenant, site_id: int, quantities: Collection[str], *, start: datetime, end: datetime
) -> list[Hour]:
    """Return the hours of a site between two moments: its counters, then its levels."""
    asked = Asked([tenant.tenant_id], quantities, [(start, end)], tenant.time_zone, site_id, by_hour=True)
    counted = await reader.fetch(SELECT_COUNTED_AT_SITE, *asked.parameters())
    found = await reader.fetch(SELECT_LEVELS_AT_SITE, tenant.tenant_id, site_id, list(quantities), start, end)
    return [Hour(*row) for row in [*counted, *found]]
