"""What the meters of a tenant counted, day by day, in few statements for a whole page."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.quantities import QUANTITIES
from store.reading.growth import Asked, of_growth
from store.reading.pages import Reader
from store.reading.territory import Tenant


class Told(NamedTuple):
    """One quantity in one period: of one point over it all (`day` None), or of all points on a day (`point_id` None).

    `days` is on how many days each device and channel measured something. `increase` is what a counter grew by; `mean`
    and `peak`, of a level, are its mean and the mean of each day's highest. All in the quantity's unit. Of a counter's
    point: it counts at `site_id` with a `weight` (see growth.py), its `use` and the point that it is `part_of`.
    """

    quantity: str
    point_id: int | None
    period: int  # which of the ranges asked for, from 0
    day: datetime | None
    days: int
    increase: float | None
    mean: float | None
    peak: float | None
    site_id: int | None = None
    weight: int = 1
    part_of: int | None = None
    use: str | None = None


SELECT_COUNTED: Final = of_growth("""
SELECT quantities.name, point_id, period, day, days, increase, NULL, NULL, told.site_id, coalesce(weight, 1), part_of,
       use
  FROM (SELECT quantity_id, point_id, site_id, weight, (period - 1)::integer AS period, day,
               count(*) FILTER (WHERE is_new_day)::integer AS days,
               CASE WHEN GROUPING(point_id) = 0 THEN sum(grown) ELSE sum(counted) END AS increase
          FROM grown
         GROUP BY GROUPING SETS ((quantity_id, period, point_id, site_id, weight), (quantity_id, period, day))
        HAVING GROUPING(point_id) = 0 OR bool_or(grown.weight <> 0)) AS told
  JOIN quantities USING (quantity_id)
  LEFT JOIN points USING (point_id)
 ORDER BY quantities.name, period, day, point_id
""")

# A day of a level counts for the point at which its device was, on some of it.
SELECT_LEVEL_DAYS: Final = """
WITH days AS (
  SELECT point_id, quantity_id, day, samples, total, high
    FROM points
    JOIN assignments USING (point_id)
   CROSS JOIN LATERAL (SELECT *
                         FROM measurements_daily
                        WHERE device_id = assignments.device_id
                          AND quantity_id = ANY (ARRAY(SELECT quantity_id
                                                         FROM quantities
                                                        WHERE name = ANY ($2::text[]) AND kind = 'gauge'))
                          AND day >= greatest($3::timestamptz, date_trunc('day', lower(during), 'Europe/Paris'))
                          AND day < least($4::timestamptz, upper(during))
                       OFFSET 0) AS rolled_up
   WHERE points.of_tenant_id = $1
)
SELECT name, point_id, 0, day, days, NULL, mean, peak
  FROM (SELECT quantity_id, point_id, day, count(*)::integer AS days, sum(total) / sum(samples) AS mean,
               avg(high) AS peak
          FROM days
         GROUP BY GROUPING SETS ((quantity_id, point_id), (quantity_id, day))) AS told
  JOIN quantities USING (quantity_id)
 ORDER BY name, day, point_id
"""


async def days(
    reader: Reader, tenant: Tenant, quantities: Collection[str], periods: Sequence[tuple[datetime, datetime]]
) -> list[Told]:
    """Return what was measured between the bounds of each period, midnights of the tenant, by point and by day.

    Levels are told of the first period alone. It comes from the days that maintenance rolled up, a minute after they
    changed.
    """
    asked = Asked([tenant.tenant_id], quantities, periods, tenant.time_zone)
    told = await reader.fetch(SELECT_COUNTED, *asked.parameters())
    levels = [name for name in quantities if name not in QUANTITIES or QUANTITIES[name].kind == "gauge"]
    if levels:
        told += await reader.fetch(SELECT_LEVEL_DAYS, tenant.tenant_id, levels, *periods[0])
    return [Told(*row) for row in told]


class Use(NamedTuple):
    """What the meters of a site counted on one day, in the quantity's unit: those `alike`, or the others."""

    site_id: int
    quantity: str
    alike: bool
    start: datetime
    amount: float


# Whether a point is alike is found once a point. Sets of groups are hashed: the planner, which expects a row or two of
# each meter, would sort a year of days first.
SELECT_USES: Final = of_growth("""
SELECT site_id, name, alike, day, amount
  FROM (SELECT site_id, quantity_id, alike, day, sum(counted) AS amount
          FROM grown
          JOIN (SELECT point_id, point_id = ANY ($8::integer[]) AS alike
                  FROM points
                 WHERE of_tenant_id = ANY ($1::integer[])) AS compared USING (point_id)
         WHERE weight <> 0
         GROUP BY GROUPING SETS ((site_id, quantity_id, alike, day), ())) AS used
  JOIN quantities USING (quantity_id)
 ORDER BY day, site_id, name, alike
""")


async def uses(
    reader: Reader,
    tenant: Tenant,
    quantities: Collection[str],
    start: datetime,
    end: datetime,
    *,
    alike: Collection[int] = (),
) -> list[Use]:
    """Return what each site of a tenant used on each day of [start, end), midnights of the tenant, in order of time.

    What is behind another meter is counted once. The points of `alike` are added up apart from the others. Days without
    a message are missing.
    """
    asked = Asked([tenant.tenant_id], quantities, [(start, end)], tenant.time_zone)
    return [Use(*row) for row in await reader.fetch(SELECT_USES, *asked.parameters(), list(alike))]
