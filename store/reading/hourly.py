"""What the points of a site used, or were, hour by hour: from the roll-ups of hours, in one statement."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader


class Hour(NamedTuple):
    """An hour of one quantity: what its counters grew by together, or the mean of one point's level."""

    quantity: str
    point_id: int | None  # of a level; None of counters, which are added up
    hour: datetime
    increase: float | None
    mean: float | None


# Steps are found up to a day back. Counters add up over the points; levels stay apart.
SELECT_HOURS_OF_SITE: Final = """
WITH tracks AS (
  SELECT DISTINCT points.point_id, during, device_id, quantity_id, channel, quantities.name AS quantity, quantities.kind
    FROM sites
    JOIN points USING (site_id)
    JOIN assignments USING (point_id)
    JOIN latest_frames USING (device_id)
   CROSS JOIN unnest(quantity_ids, channels) AS told (quantity_id, channel)
    JOIN quantities USING (quantity_id)
   WHERE tenant_id = $1
     AND sites.site_id = $2
     AND quantities.name = ANY ($3::text[])
), hours AS (
  SELECT point_id, quantity, kind, hour, samples, total,
         coalesce(counter_step(before, first), 0)
         + CASE WHEN low >= high * 0.9 OR (first = low AND last = high) THEN last - first
                ELSE high - first + counter_step(high, low) + last - low END AS grown
    FROM tracks
   CROSS JOIN LATERAL (SELECT hour, samples, total, low, high, first, last, lag(last) OVER (ORDER BY hour) AS before
                         FROM measurements_hourly AS hourly
                        WHERE hourly.device_id = tracks.device_id
                          AND hourly.quantity_id = tracks.quantity_id
                          AND hourly.channel = tracks.channel
                          AND hourly.hour >= $4::timestamptz - interval '1 day'
                          AND hourly.hour < $5::timestamptz) AS rolled_up
   WHERE hour >= $4
     AND during @> hour
)
SELECT quantity, CASE WHEN kind = 'gauge' THEN point_id END AS point_id, hour,
       CASE WHEN kind = 'counter' THEN sum(grown) END AS increase,
       CASE WHEN kind = 'gauge' THEN sum(total) / sum(samples) END AS mean
  FROM hours
 GROUP BY 1, 2, hour, kind
 ORDER BY 1, 2, hour
"""


async def hours_of_site(
    reader: Reader, tenant_id: int, site_id: int, quantities: Collection[str], *, start: datetime, end: datetime
) -> list[Hour]:
    """Return the hours of a site between two moments, from the roll-ups: the last two hours are not there yet."""
    rows = await reader.fetch(SELECT_HOURS_OF_SITE, tenant_id, site_id, list(quantities), start, end)
    return [Hour(*row) for row in rows]
