"""How every point of a tenant fares: what measures it, and when that was last heard."""

from datetime import datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader


class Seen(NamedTuple):
    """A point. The rest is of the device that measures it now, None when there is none or it was never heard."""

    point_id: int
    site_id: int
    name: str
    period_s: int | None  # the usual time between two uplinks, as it is set up or of its model
    heard_at: datetime | None


SELECT_SEEN: Final = """
SELECT points.point_id, site_id, points.name, period_of(parameters, models.period_s) AS period_s, heard_at
  FROM points
  LEFT JOIN (assignments JOIN devices USING (device_id)) ON assignments.point_id = points.point_id AND upper_inf(during)
  LEFT JOIN models USING (model_id)
  LEFT JOIN LATERAL (SELECT max(received_at) AS heard_at
                       FROM latest_frames
                      WHERE latest_frames.device_id = devices.device_id
                        AND during @> measured_at) AS newest ON true
 WHERE points.of_tenant_id = $1
 ORDER BY points.point_id
"""


async def seen(reader: Reader, tenant_id: int) -> list[Seen]:
    """Return all points of a tenant in the order of their ids."""
    return [Seen(*row) for row in await reader.fetch(SELECT_SEEN, tenant_id)]
