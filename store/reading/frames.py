"""What a tenant's devices sent, frame by frame, with who heard it; joins and statuses; how well each place is heard.

A device counts for a tenant while it measures one of its points: what it sent before, elsewhere, is not told.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from store.reading.pages import Reader


class Before(NamedTuple):
    """Where a page begins: with what came before this time, and before this key at this time."""

    received_at: datetime
    key: int


class Asked(NamedTuple):
    """Which frames or events: of a tenant's devices, or of one; `start` included, `end` not; the newest first."""

    tenant_id: int
    dev_eui: str | None
    start: datetime
    end: datetime
    before: Before
    limit: int


class Reception(NamedTuple):
    """One gateway's hearing. `gateway_eui` is None for who may not know it."""

    gateway_eui: str | None
    rssi_dbm: float | None
    snr_db: float | None


class Frame(NamedTuple):
    """One uplink as it was received. `payload` is empty where a household's meter is told by day."""

    received_at: datetime
    key: int
    dev_eui: str
    point_id: int
    f_cnt: int
    f_port: int | None
    frequency_hz: int | None
    bandwidth_hz: int | None
    spreading_factor: int | None
    data_rate: int | None
    confirmed: bool
    adr: bool
    outcome: str
    detail: str
    payload: bytes
    receptions: list[Reception]


# A page of each device's newest, and of those the newest: the key of each relation begins with the device.
SELECT_FRAMES: Final = """
SELECT frame.*, dev_eui, point_id, device_id
  FROM assignments
  JOIN devices USING (device_id)
 CROSS JOIN LATERAL (SELECT received_at, uplink_key AS key, f_cnt, f_port, frequency_hz, bandwidth_hz,
                            spreading_factor, data_rate, confirmed, adr, outcome, detail,
                            coalesce(payload, '') AS payload
                       FROM uplinks
                      WHERE uplinks.device_id = assignments.device_id
                        AND received_at >= greatest($3, lower(during))
                        AND received_at < least($4, upper(during))
                        AND (received_at, uplink_key) < ($5, $6)
                      ORDER BY received_at DESC, uplink_key DESC
                      LIMIT $7) AS frame
 WHERE of_tenant_id = $1
   AND ($2::text IS NULL OR dev_eui = $2)
   AND during && tstzrange($3, $4)
 ORDER BY received_at DESC, key DESC
 LIMIT $7
"""

SELECT_RECEPTIONS: Final = """
SELECT uplink_key, received_at, gateway_eui, rssi_dbm, snr_db
  FROM unnest($1::integer[], $2::timestamptz[], $3::bigint[]) AS frame (device_id, received_at, uplink_key)
 CROSS JOIN LATERAL (SELECT gateway_id, rssi_dbm, snr_db
                       FROM receptions
                      WHERE receptions.device_id = frame.device_id
                        AND receptions.received_at = frame.received_at
                        AND receptions.uplink_key = frame.uplink_key
                     OFFSET 0) AS heard
  LEFT JOIN gateways USING (gateway_id)
 ORDER BY rssi_dbm DESC NULLS LAST, gateway_id
"""


async def frames(reader: Reader, asked: Asked) -> list[Frame]:
    """Return frames with their receptions, the newest first, `limit` + 1 of them if there are more."""
    rows = await reader.fetch(
        SELECT_FRAMES, asked.tenant_id, asked.dev_eui, asked.start, asked.end, *asked.before, asked.limit + 1
    )
    told: dict[tuple[datetime, int], list[Reception]] = {}
    keys = [[row[name] for row in rows] for name in ("device_id", "received_at", "key")]
    for row in await reader.fetch(SELECT_RECEPTIONS, *keys):
        reception = Reception(row["gateway_eui"], row["rssi_dbm"], row["snr_db"])
        told.setdefault((row["received_at"], row["uplink_key"]), []).append(reception)
    return [_frame(dict(row), told.get((row["received_at"], row["key"]), [])) for row in rows]


def _frame(row: dict[str, Any], receptions: list[Reception]) -> Frame:
    del row["device_id"]
    return Frame(**row, receptions=receptions)


class Event(NamedTuple):
    """What a network server told of a device that is not an uplink. `data` is JSON, as its `kind` has it."""

    received_at: datetime
    key: int
    dev_eui: str
    kind: str
    data: str


SELECT_EVENTS: Final = """
SELECT event.received_at, event.event_key, dev_eui, event.kind, event.data
  FROM assignments
  JOIN devices USING (device_id)
 CROSS JOIN LATERAL (SELECT received_at, event_key, network_events.kind, data
                       FROM network_events
                      WHERE network_events.device_id = assignments.device_id
                        AND received_at >= greatest($3, lower(during))
                        AND received_at < least($4, upper(during))
                        AND (received_at, event_key) < ($5, $6)
                        AND ($8::text IS NULL OR network_events.kind = $8)
                      ORDER BY received_at DESC, event_key DESC
                      LIMIT $7) AS event
 WHERE of_tenant_id = $1
   AND ($2::text IS NULL OR dev_eui = $2)
   AND during && tstzrange($3, $4)
 ORDER BY received_at DESC, event_key DESC
 LIMIT $7
"""


async def events(reader: Reader, asked: Asked, kind: str | None) -> list[Event]:
    """Return events, of one kind or of all, the newest first, `limit` + 1 of them if there are more."""
    rows = await reader.fetch(
        SELECT_EVENTS, asked.tenant_id, asked.dev_eui, asked.start, asked.end, *asked.before, asked.limit + 1, kind
    )
    return [Event(*row) for row in rows]


class Heard(NamedTuple):
    """How one gateway heard one site at one spreading factor: frames, and the mean and least of their figures."""

    site_id: int
    latitude_deg: float | None
    longitude_deg: float | None
    gateway_eui: str | None
    gateway_latitude_deg: float | None
    gateway_longitude_deg: float | None
    spreading_factor: int | None
    frames: int
    rssi_dbm: float | None
    rssi_min_dbm: float | None
    snr_db: float | None
    snr_min_db: float | None


SELECT_HEARD: Final = """
SELECT site_id, sites.latitude_deg, sites.longitude_deg, gateway_eui, gateways.latitude_deg, gateways.longitude_deg,
       spreading_factor, count(*), avg(rssi_dbm), min(rssi_dbm)::float8, avg(snr_db), min(snr_db)::float8
  FROM sites
  JOIN points USING (site_id)
  JOIN assignments USING (point_id)
 CROSS JOIN LATERAL (SELECT received_at, uplink_key, spreading_factor
                       FROM uplinks
                      WHERE uplinks.device_id = assignments.device_id
                        AND received_at >= greatest($2, lower(during))
                        AND received_at < least($3, upper(during))
                     OFFSET 0) AS frame
  JOIN receptions ON receptions.device_id = assignments.device_id
                 AND receptions.received_at = frame.received_at
                 AND receptions.uplink_key = frame.uplink_key
  LEFT JOIN gateways USING (gateway_id)
 WHERE sites.tenant_id = $1
   AND during && tstzrange($2, $3)
 GROUP BY site_id, gateway_id, gateway_eui, gateways.latitude_deg, gateways.longitude_deg, spreading_factor
 ORDER BY site_id, gateway_eui, gateway_id, spreading_factor
"""


async def heard(reader: Reader, tenant_id: int, start: datetime, end: datetime) -> Sequence[Heard]:
    """Return how each site of a tenant was heard by each gateway at each spreading factor."""
    return [Heard(*row) for row in await reader.fetch(SELECT_HEARD, tenant_id, start, end)]
