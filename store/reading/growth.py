"""What counters of points grew by: the one place that knows how a day's or an hour's use of a point is made.

A point is measured by one device at a time. A device's index counts for a point from its first message there until it
left: days that were wholly the point's are read from the roll-ups of days, the days of a replacement from those of
hours. An hour belongs to the point at which the device was when it began. The growth of a piece begins at the index
before it, so that nothing falls between two pieces, and what was used during a silence is in the piece that ends it.
Within a piece and between two, a counter that restarted or passed its end counts as `increase` of pieces.py has it.
What was used between the last message of a device and the first of its replacement is not known and not counted.

A point that is part of another counts with a weight: 0 at the site of the other, which has counted it; where the other
is at another site, 1 at its own and -1 at the other's. What a network lets through has the weight 0 and no parts:
others use it. So whatever is added up with its weight is counted once.

Days are those of the territory; those of a tenant whose clock is another's are made of hours.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.uses import DISTRIBUTION
from store.reading.ladder import TERRITORY

# Where each of `points` counts, and with what weight: joined to it, as `counting`.
COUNTING: Final = f"""\
    LEFT JOIN (SELECT point_id AS whole_id, site_id AS whole_at
                 FROM points
                WHERE use IS DISTINCT FROM '{DISTRIBUTION}') AS whole ON whole_id = part_of
   CROSS JOIN LATERAL (SELECT site_id, weight
                         FROM (VALUES (points.site_id, CASE WHEN whole_at = points.site_id
                                                              OR points.use = '{DISTRIBUTION}' THEN 0 ELSE 1 END),
                                      (whole_at, -1)) AS told (site_id, weight)
                        WHERE weight >= 0
                           OR (whole_at <> points.site_id AND points.use IS DISTINCT FROM '{DISTRIBUTION}'))
           AS counting"""  # noqa: S608 - of constants

# `grown` has a row for each piece of each counter in each of the ranges asked for (`period`, from 1), in the quantity's
# unit: what it grew by, the day of the tenant that it is of, whether it is the first of that day, and how long it began
# after the piece before it. `counted` is what it adds to the totals of `site_id`: `grown` with its `weight`; a point
# itself is told by its rows of weight 0 and 1.
#
# The index before a range is looked for in the two days before it, with the same search, and further back where those
# are empty: a counter that was silent for longer than a hundred days begins anew. OFFSET 0: what the API reads is a
# view that hides other tenants' rows, and a range reaches into it only from within. Each meter's pieces are put in
# order by themselves: all of a tenant's year at once would be sorted on disk.
_GROWN: Final = f"""
meters AS MATERIALIZED (
  SELECT points.of_tenant_id AS tenant_id, counting.site_id, point_id, weight, device_id, since, until,
         CASE WHEN $7::boolean THEN 'infinity'
              ELSE (date_trunc('day', since AT TIME ZONE 'Europe/Paris' - interval '1 microsecond') + interval '1 day')
                   AT TIME ZONE 'Europe/Paris' END AS first_day,
         date_trunc('day', until, 'Europe/Paris') AS last_day
    FROM points
    JOIN assignments USING (point_id)
   CROSS JOIN LATERAL (VALUES (coalesce(lower(during), '-infinity'), coalesce(upper(during), 'infinity')))
           AS measuring (since, until)
{COUNTING}
   WHERE points.of_tenant_id = ANY ($1::integer[])
     AND ($5::integer IS NULL OR counting.site_id = $5)
), stepped AS (
  SELECT tenant_id, site_id, point_id, weight, period, series.*
    FROM meters
   CROSS JOIN unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS asked (start, stop, period)
   CROSS JOIN LATERAL (
     SELECT quantity_id, channel, at, day, begins, low, high, first, last, at - lag(at) OVER series AS after,
            coalesce(lag(at) OVER series < greatest(day, begins), true) AS is_new_day,
            coalesce(lag(last) OVER series,
                     CASE WHEN at < begins THEN NULL
                          WHEN by_day
                          THEN (SELECT last
                                  FROM measurements_daily AS earlier
                                 WHERE earlier.device_id = meters.device_id
                                   AND earlier.quantity_id = pieces.quantity_id
                                   AND earlier.channel = pieces.channel
                                   AND earlier.day < at
                                   AND earlier.day >= greatest(at - interval '100 days', since - interval '25 hours')
                                   AND earlier.last_at >= since
                                 ORDER BY earlier.day DESC
                                 LIMIT 1)
                          ELSE (SELECT last
                                  FROM measurements_hourly AS earlier
                                 WHERE earlier.device_id = meters.device_id
                                   AND earlier.quantity_id = pieces.quantity_id
                                   AND earlier.channel = pieces.channel
                                   AND earlier.hour < at
                                   AND earlier.hour >= greatest(at - interval '8 days', since - interval '1 hour')
                                   AND earlier.last_at >= since
                                 ORDER BY earlier.hour DESC
                                 LIMIT 1) END) AS before
       FROM (SELECT true AS by_day, begins, quantity_id, channel, day AS at, day, low, high, first, last
               FROM (VALUES (greatest(start, first_day), least(stop, last_day))) AS cut (begins, ends)
              CROSS JOIN LATERAL (SELECT *
                                    FROM measurements_daily
                                   WHERE device_id = meters.device_id
                                     AND quantity_id = ANY (ARRAY(SELECT quantity_id
                                                                    FROM quantities
                                                                   WHERE name = ANY ($2::text[]) AND kind = 'counter'))
                                     AND day >= greatest(begins - interval '2 days', first_day)
                                     AND day < ends
                                  OFFSET 0) AS rolled_up
              WHERE begins < ends
              UNION ALL
             SELECT false, begins, quantity_id, channel, hour, date_trunc('day', hour, $6::text), low, high, first, last
               FROM (VALUES (greatest(start, since), least(stop, first_day, until)),
                            (greatest(start, first_day, last_day), least(stop, until))) AS cut (begins, ends)
              CROSS JOIN LATERAL (SELECT *
                                    FROM measurements_hourly
                                   WHERE device_id = meters.device_id
                                     AND quantity_id = ANY (ARRAY(SELECT quantity_id
                                                                    FROM quantities
                                                                   WHERE name = ANY ($2::text[]) AND kind = 'counter'))
                                     AND hour >= greatest(begins - interval '3 hours', since - interval '1 hour')
                                     AND hour < ends
                                     AND last_at >= since
                                  OFFSET 0) AS rolled_up
              WHERE begins < ends) AS pieces
     WINDOW series AS (PARTITION BY quantity_id, channel ORDER BY at)
   ) AS series
), grown AS (
  SELECT *, weight * grown AS counted
    FROM (SELECT tenant_id, site_id, point_id, weight, quantity_id, channel, period, at, day, after, is_new_day,
                 counter_growth(before, first, low, high, last) AS grown
            FROM stepped
           WHERE at >= begins) AS each
)
"""  # noqa: S608 - of constants


def of_growth(select: str) -> str:
    """Return a statement that selects from `grown`. Its parameters are those of Asked; its own begin at $8."""
    return f"\nWITH {_GROWN.lstrip()}{select}"


class Asked(NamedTuple):
    """Which counters, and when: `periods` begin and end with days of the zone (with hours, when `by_hour`)."""

    tenant_ids: Collection[int]
    quantities: Collection[str]
    periods: Sequence[tuple[datetime, datetime]]
    time_zone: str  # IANA name
    site_id: int | None = None
    by_hour: bool = False

    def parameters(self) -> tuple[object, ...]:
        """Return what statements of growth take first."""
        starts, stops = [start for start, _ in self.periods], [stop for _, stop in self.periods]
        by_hour = self.by_hour or self.time_zone != TERRITORY.key
        return list(self.tenant_ids), list(self.quantities), starts, stops, self.site_id, self.time_zone, by_hour
