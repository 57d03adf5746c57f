"""What all points of a tenant used, or were, day by day: from the roll-ups of days, in one statement."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader


class Told(NamedTuple):
    """One quantity in one period: of one point over it all (`day` None), or of all points on a day (`point_id` None).

    `days` is on how many days each device and channel measured something. `increase` is what a counter grew by; `mean`
    and `peak`, of a level, are its mean and the mean of each day's highest. All in the quantity's unit.
    """

    quantity: str
    point_id: int | None
    period: int  # which of the ranges asked for, from 0
    day: datetime | None
    days: int
    increase: float | None
    mean: float | None
    peak: float | None


# The step from the day before is found up to eight days back: a counter that was silent for longer begins anew.
SELECT_DAYS: Final = """
WITH tracks AS (
  SELECT DISTINCT points.point_id, coalesce(lower(during), '-infinity') AS since,
         coalesce(upper(during), 'infinity') AS until, device_id, quantity_id, channel, quantities.name AS quantity,
         quantities.kind
    FROM sites
    JOIN points USING (site_id)
    JOIN assignments USING (point_id)
    JOIN latest_frames USING (device_id)
   CROSS JOIN unnest(quantity_ids, channels) AS told (quantity_id, channel)
    JOIN quantities USING (quantity_id)
   WHERE tenant_id = $1
     AND quantities.name = ANY ($2::text[])
     AND ($5::integer IS NULL OR sites.site_id = $5)
), days AS (
  SELECT point_id, quantity, kind, period, day, samples, total, high,
         coalesce(counter_step(before, first), 0)
         + CASE WHEN low >= high * 0.9 OR (first = low AND last = high) THEN last - first
                ELSE high - first + counter_step(high, low) + last - low END AS grown
    FROM tracks
   CROSS JOIN unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS range (start, stop, period)
   CROSS JOIN LATERAL (SELECT day, samples, total, low, high, first, last, lag(last) OVER (ORDER BY day) AS before
                         FROM measurements_daily AS daily
                        WHERE daily.device_id = tracks.device_id
                          AND daily.quantity_id = tracks.quantity_id
                          AND daily.channel = tracks.channel
                          AND daily.day >= range.start - interval '8 days'
                          AND daily.day < range.stop) AS rolled_up
   WHERE day >= start
     AND day < until
     AND day + interval '1 day' > since
)
SELECT quantity, point_id, (period - 1)::integer AS period, day, count(*)::integer AS days,
       CASE WHEN kind = 'counter' THEN sum(grown) END AS increase,
       CASE WHEN kind = 'gauge' THEN sum(total) / sum(samples) END AS mean,
       CASE WHEN kind = 'gauge' THEN avg(high) END AS peak
  FROM days
 GROUP BY GROUPING SETS ((quantity, kind, period, point_id), (quantity, kind, period, day))
 ORDER BY quantity, period, day, point_id
"""


async def days(
    reader: Reader,
    tenant_id: int,
    quantities: Collection[str],
    periods: Sequence[tuple[datetime, datetime]],
    site_id: int | None = None,
) -> list[Told]:
    """Return what was measured between the bounds of each period, midnights in Paris, of a tenant or one of its sites.

    It comes from the days that maintenance rolled up, a minute after they changed. A day counts for the point at which
    the device was, on some of it.
    """
    starts, stops = [start for start, _ in periods], [stop for _, stop in periods]
    rows = await reader.fetch(SELECT_DAYS, tenant_id, list(quantities), starts, stops, site_id)
    return [Told(*row) for row in rows]
