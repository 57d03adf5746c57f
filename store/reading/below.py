"""The tenants below one, as supervision sees them: how their sensors fare, and what they used."""

from datetime import datetime
from typing import Final, NamedTuple

from store.reading.growth import Asked, of_growth
from store.reading.pages import Reader


class Below(NamedTuple):
    """A tenant below another. The position is the middle of its sites', None where none has one.

    `silent` counts points whose sensor should have been heard long ago; `heard` and `lost` are the frames of the last
    seven days, None where nothing was received.
    """

    tenant_id: int
    slug: str
    name: str
    kind: str
    latitude_deg: float | None
    longitude_deg: float | None
    sites: int
    points: int
    silent: int
    incidents: int
    heard: int | None
    lost: int | None


# A sensor is late after three of its usual periods and an hour at least, after 25 hours when nobody knows its period:
# `late_after_s` of api/pages/fare.py.
SELECT_BELOW: Final = """
WITH RECURSIVE below AS (
  SELECT tenant_id FROM tenants WHERE parent_id = $1
   UNION ALL
  SELECT tenants.tenant_id FROM tenants JOIN below ON tenants.parent_id = below.tenant_id
), fleet AS (
  SELECT sites.tenant_id, point_id, devices.device_id,
         greatest(coalesce(3 * period_of(parameters, models.period_s), 90000), 3600) * interval '1 second' AS patience
    FROM below
    JOIN sites USING (tenant_id)
    JOIN points USING (site_id)
    LEFT JOIN (assignments JOIN devices USING (device_id)) USING (point_id)
    LEFT JOIN models USING (model_id)
   WHERE during IS NULL
      OR upper_inf(during)
), heard AS (
  SELECT fleet.tenant_id, count(DISTINCT point_id) AS points,
         count(*) FILTER (WHERE heard_at < $2::timestamptz - patience) AS silent,
         sum(frames.heard) AS heard, sum(frames.lost) AS lost
    FROM fleet
    LEFT JOIN LATERAL (SELECT max(received_at) AS heard_at
                         FROM latest_frames
                        WHERE latest_frames.device_id = fleet.device_id) AS newest ON true
    LEFT JOIN LATERAL (SELECT sum(heard) AS heard, sum(lost) AS lost
                         FROM radio_accounts
                        WHERE radio_accounts.device_id = fleet.device_id
                          AND day > ($2::timestamptz AT TIME ZONE 'UTC')::date - 7) AS frames ON true
   GROUP BY fleet.tenant_id
)
SELECT tenants.tenant_id, slug, tenants.name, tenants.kind, place.latitude_deg, place.longitude_deg,
       place.sites::integer, coalesce(points, 0)::integer AS points, coalesce(silent, 0)::integer AS silent,
       open_now.incidents::integer, heard.heard::integer, heard.lost::integer
  FROM below
  JOIN tenants USING (tenant_id)
  LEFT JOIN heard USING (tenant_id)
 CROSS JOIN LATERAL (SELECT avg(latitude_deg) AS latitude_deg, avg(longitude_deg) AS longitude_deg, count(*) AS sites
                       FROM sites
                      WHERE sites.tenant_id = below.tenant_id) AS place
 CROSS JOIN LATERAL (SELECT count(*) AS incidents
                       FROM incidents
                      WHERE incidents.tenant_id = below.tenant_id
                        AND closed_at IS NULL) AS open_now
 ORDER BY tenants.name
"""


async def below(reader: Reader, tenant_id: int, now: datetime) -> list[Below]:
    """Return the tenants below one, at any depth, of which the reader sees how they fare."""
    return [Below(*row) for row in await reader.fetch(SELECT_BELOW, tenant_id, now)]


class Used(NamedTuple):
    """What the counters of a tenant grew by in a period; and, of those measured in both, now and a year before."""

    tenant_id: int
    quantity: str
    used: float
    comparable: float
    before: float


SELECT_USED_BELOW: Final = of_growth(""", of_point AS (
  SELECT tenant_id, quantity_id, point_id, sum(counted) FILTER (WHERE period = 1) AS now,
         sum(counted) FILTER (WHERE period = 2) AS before,
         count(DISTINCT day) FILTER (WHERE period = 1) >= $8
         AND count(DISTINCT day) FILTER (WHERE period = 2) >= $8 AS twice
    FROM grown
   GROUP BY tenant_id, quantity_id, point_id
)
SELECT tenant_id, name, coalesce(sum(now), 0) AS used, coalesce(sum(now) FILTER (WHERE twice), 0) AS comparable,
       coalesce(sum(before) FILTER (WHERE twice), 0) AS before
  FROM of_point
  JOIN quantities USING (quantity_id)
 GROUP BY tenant_id, name
""")


async def used_below(
    reader: Reader,
    asked: Asked,
    least_days: float,
) -> list[Used]:
    """Return what tenants used in the first of two periods; of what was measured on `least_days` in both, both."""
    rows = await reader.fetch(SELECT_USED_BELOW, *asked.parameters(), least_days)
    return [Used(*row) for row in rows]
