"""Devices and gateways, with when and how they were last heard."""

from datetime import datetime
from typing import Final, NamedTuple

from store.reading.pages import Page, Reader, checked_limit, page_of


class Device(NamedTuple):
    """A LoRaWAN end device of a tenant.

    `model_id`, `vendor`, `model` and `period_s` (the usual seconds between two uplinks) are None while the model is
    unknown; `point_id` is what it measures now. The radio figures are of its last uplink, by the gateway that
    heard it best; all None before the first.
    """

    device_id: int
    dev_eui: str
    name: str
    model_id: str | None
    vendor: str | None
    model: str | None
    period_s: int | None
    point_id: int | None
    last_seen_at: datetime | None
    spreading_factor: int | None
    rssi_dbm: float | None
    snr_db: float | None


class Gateway(NamedTuple):
    """A relay antenna. `last_heard_at` is of the last uplink it relayed or status it sent, None before both."""

    gateway_id: int
    gateway_eui: str
    name: str
    latitude_deg: float | None
    longitude_deg: float | None
    altitude_m: float | None
    last_heard_at: datetime | None


# The newest frames say when a device was last seen; its uplink and receptions are then found by their keys.
SELECT_DEVICES: Final = """
SELECT devices.device_id, dev_eui, devices.name, devices.model_id, vendor, models.name AS model,
       period_of(parameters, models.period_s) AS period_s, point_id,
       last_seen_at, spreading_factor, rssi_dbm, snr_db
  FROM devices
  LEFT JOIN models USING (model_id)
  LEFT JOIN assignments ON assignments.device_id = devices.device_id AND upper_inf(during)
  LEFT JOIN LATERAL (SELECT max(received_at) AS last_seen_at
                       FROM latest_frames
                      WHERE latest_frames.device_id = devices.device_id) AS seen ON true
  LEFT JOIN LATERAL (SELECT uplink_key, spreading_factor
                       FROM uplinks
                      WHERE uplinks.device_id = devices.device_id
                        AND uplinks.received_at = last_seen_at
                      ORDER BY uplink_key
                      LIMIT 1) AS frame ON true
  LEFT JOIN LATERAL (SELECT rssi_dbm, snr_db
                       FROM receptions
                      WHERE receptions.device_id = devices.device_id
                        AND receptions.received_at = last_seen_at
                        AND receptions.uplink_key = frame.uplink_key
                      ORDER BY rssi_dbm DESC NULLS LAST, gateway_id
                      LIMIT 1) AS best ON true
 WHERE devices.tenant_id = $1
   AND devices.device_id > $2
 ORDER BY devices.device_id
 LIMIT $3
"""


async def devices(reader: Reader, tenant_id: int, *, after: int | None = None, limit: int = 100) -> Page[Device]:
    """Return the devices of a tenant in the order of their ids."""
    rows = await reader.fetch(SELECT_DEVICES, tenant_id, after or 0, checked_limit(limit) + 1)
    return page_of([Device(**row) for row in rows], [row["device_id"] for row in rows], limit)


SELECT_GATEWAYS: Final = """
SELECT gateway_id, gateway_eui, name, latitude_deg, longitude_deg, altitude_m,
       greatest(last_relayed_at, last_gateway_event_at(gateway_id)) AS last_heard_at
  FROM gateways
  LEFT JOIN LATERAL (SELECT max(heard_at) AS last_relayed_at
                       FROM gateways_heard
                      WHERE gateways_heard.gateway_id = gateways.gateway_id) AS relayed ON true
 WHERE gateway_id > $1
 ORDER BY gateway_id
 LIMIT $2
"""


async def gateways(reader: Reader, *, after: int | None = None, limit: int = 100) -> Page[Gateway]:
    """Return the gateways in the order of their ids. They are the network's, not a tenant's."""
    rows = await reader.fetch(SELECT_GATEWAYS, after or 0, checked_limit(limit) + 1)
    return page_of([Gateway(**row) for row in rows], [row["gateway_id"] for row in rows], limit)
