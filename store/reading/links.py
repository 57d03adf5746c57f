"""How well each gateway hears each device of known position: what a path loss is calibrated on."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg


class HeardLink(NamedTuple):
    """One device by one gateway: WGS 84 degrees of both, frames, and the signal's own power (RSSI less the noise)."""

    dev_eui: str
    gateway_eui: str
    latitude_deg: float
    longitude_deg: float
    gateway_latitude_deg: float
    gateway_longitude_deg: float
    frames: int
    median_dbm: float
    weakest_dbm: float


# A device stands where it is assigned today: frames of before it was moved there are left out.
SELECT_LINKS: Final = """
SELECT dev_eui, gateway_eui, sites.latitude_deg, sites.longitude_deg, gateways.latitude_deg, gateways.longitude_deg,
       count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY signal_dbm), min(signal_dbm)
  FROM receptions
  JOIN gateways USING (gateway_id)
  JOIN devices USING (device_id)
  JOIN assignments ON assignments.device_id = receptions.device_id
                  AND during @> $2::timestamptz AND during @> receptions.received_at
  JOIN points USING (point_id)
  JOIN sites USING (site_id)
 CROSS JOIN LATERAL (
    SELECT rssi_dbm + snr_db - 10 * log(1 + power(10, snr_db::double precision / 10)) AS signal_dbm
  ) AS signal
 WHERE received_at BETWEEN $1 AND $2
   AND gateways.latitude_deg IS NOT NULL AND sites.latitude_deg IS NOT NULL AND signal_dbm IS NOT NULL
 GROUP BY dev_eui, gateway_eui, sites.latitude_deg, sites.longitude_deg, gateways.latitude_deg, gateways.longitude_deg
"""


async def heard_links(connection: asyncpg.Connection, since: datetime, until: datetime) -> list[HeardLink]:
    """Return every pair that was heard between two moments and whose ends have a position."""
    return [HeardLink(*record) for record in await connection.fetch(SELECT_LINKS, since, until)]
