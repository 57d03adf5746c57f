"""The whole fleet, device by device, for a file: read by a cursor, so that none of it is held."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg


class Listed(NamedTuple):
    """A device: whose, where, and how it fared over its last seven days with frames (None before any)."""

    tenant: str
    site: str | None
    point: str | None
    dev_eui: str
    name: str
    vendor: str | None
    model: str | None
    last_seen_at: datetime | None
    period_s: int | None
    heard: int | None
    lost: int | None
    undecoded: int | None
    sf12: int | None
    margin_db: float | None
    gateways: int | None
    battery_kind: str | None
    battery: float | None
    battery_end_on: date | None
    silent: str | None


SELECT_FLEET: Final = """
SELECT tenants.name, sites.name, points.name, dev_eui, devices.name, vendor, models.name, last_seen_at,
       coalesce(greatest(health.period_s, period_of(parameters, NULL)), models.period_s), heard, lost, undecoded, sf12,
       margin_db, cardinality(gateway_ids),
       battery_kind, battery, battery_end_on, cause
  FROM devices
  JOIN tenants USING (tenant_id)
  LEFT JOIN models USING (model_id)
  LEFT JOIN assignments ON assignments.device_id = devices.device_id AND upper_inf(during)
  LEFT JOIN points USING (point_id)
  LEFT JOIN sites USING (site_id)
  LEFT JOIN device_health AS health ON health.device_id = devices.device_id
  LEFT JOIN silent_devices AS silent ON silent.device_id = devices.device_id
  LEFT JOIN (SELECT device_id, max(received_at) AS last_seen_at FROM latest_frames GROUP BY device_id) AS seen
         ON seen.device_id = devices.device_id
 ORDER BY tenants.name, sites.name NULLS LAST, dev_eui
"""


async def fleet(connection: asyncpg.Connection, at_once: int) -> AsyncIterator[list[Listed]]:
    """Yield the fleet, so many devices at a time, tenant by tenant and site by site. Call it in a transaction."""
    cursor = await connection.cursor(SELECT_FLEET)
    while rows := await cursor.fetch(at_once):
        yield [Listed(*row) for row in rows]
