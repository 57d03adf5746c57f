"""The newest frames of the network, one by one, without what they say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader


class LiveFrame(NamedTuple):
    """A frame that was stored just now; of `best` the gateway that heard it best."""

    received_at: datetime
    dev_eui: str
    name: str
    tenant: str
    f_cnt: int
    spreading_factor: int | None
    outcome: str
    gateways: int
    best: str | None
    rssi_dbm: float | None
    snr_db: float | None


SELECT_NEWEST: Final = """
SELECT frame.received_at, dev_eui, devices.name, tenants.name, f_cnt, spreading_factor, outcome, coalesce(gateways, 0),
       coalesce(nullif(best.name, ''), best.gateway_eui), best.rssi_dbm, best.snr_db
  FROM (SELECT one.device_id, told.received_at, uplink_key, f_cnt, spreading_factor, outcome
          FROM unnest($1::integer[]) AS one (device_id)
         CROSS JOIN LATERAL (SELECT received_at, uplink_key, f_cnt, spreading_factor, outcome
                               FROM uplinks
                              WHERE uplinks.device_id = one.device_id
                                AND received_at >= $2
                              ORDER BY received_at DESC, uplink_key DESC
                              LIMIT 2) AS told
         ORDER BY told.received_at DESC, uplink_key DESC
         LIMIT $3) AS frame
 CROSS JOIN LATERAL (SELECT dev_eui, name, tenant_id FROM devices WHERE devices.device_id = frame.device_id
                     OFFSET 0) AS devices
 CROSS JOIN LATERAL (SELECT name FROM tenants WHERE tenants.tenant_id = devices.tenant_id OFFSET 0) AS tenants
  LEFT JOIN LATERAL (SELECT name, gateway_eui, rssi_dbm, snr_db, count(*) OVER () AS gateways
                       FROM receptions
                       LEFT JOIN gateways USING (gateway_id)
                      WHERE receptions.device_id = frame.device_id
                        AND receptions.received_at = frame.received_at
                        AND receptions.uplink_key = frame.uplink_key
                      ORDER BY snr_db DESC NULLS LAST, rssi_dbm DESC NULLS LAST
                      LIMIT 1) AS best ON true
 ORDER BY frame.received_at DESC, uplink_key DESC
"""


async def newest(reader: Reader, device_ids: Sequence[int], since: datetime, limit: int) -> list[LiveFrame]:
    """Return the newest frames of these devices since then, the newest first: of those that whoever asks may see."""
    return [LiveFrame(*row) for row in await reader.fetch(SELECT_NEWEST, list(device_ids), since, limit)]
