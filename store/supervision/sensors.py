"""One device as the network sees it: how it fares, day by day, by which antenna, and what it was told."""

from datetime import date, datetime
from typing import Final, NamedTuple

from domain.errors import NotFoundError
from store.reading.pages import Reader


class Sensor(NamedTuple):
    """A device, where it is, and how it fared over its last seven days with frames (None before any)."""

    device_id: int
    dev_eui: str
    name: str
    tenant_id: int
    slug: str
    tenant: str
    site: str | None
    point_id: int | None
    point: str | None
    vendor: str | None
    model: str | None
    model_period_s: int | None
    last_seen_at: datetime | None
    learned_period_s: int | None
    heard: int
    lost: int
    resets: int
    undecoded: int
    sf12: int
    margin_db: float | None
    gateway_ids: list[int]
    battery_kind: str | None
    battery: float | None
    battery_on: date | None
    battery_end_on: date | None
    set_period_s: int | None  # as somebody set it up


SELECT_SENSOR: Final = """
SELECT devices.device_id, dev_eui, devices.name, devices.tenant_id, slug, tenants.name, sites.name, points.point_id,
       points.name, vendor, models.name, period_of(parameters, models.period_s),
       (SELECT max(received_at) FROM latest_frames WHERE latest_frames.device_id = devices.device_id), health.period_s,
       coalesce(heard, 0), coalesce(lost, 0), coalesce(resets, 0), coalesce(undecoded, 0), coalesce(sf12, 0),
       margin_db, coalesce(gateway_ids, '{}'), battery_kind, battery, battery_on, battery_end_on,
       period_of(parameters, NULL)
  FROM devices
  JOIN tenants USING (tenant_id)
  LEFT JOIN models USING (model_id)
  LEFT JOIN assignments ON assignments.device_id = devices.device_id AND upper_inf(during)
  LEFT JOIN points USING (point_id)
  LEFT JOIN sites USING (site_id)
  LEFT JOIN device_health AS health ON health.device_id = devices.device_id
 WHERE dev_eui = $1
"""


async def sensor(reader: Reader, dev_eui: str) -> Sensor:
    """Return a device. Raises NotFoundError when there is none, or none for whoever asks."""
    row = await reader.fetchrow(SELECT_SENSOR, dev_eui)
    if row is None:
        raise NotFoundError
    return Sensor(*row)


class Frame(NamedTuple):
    """One frame as received; of `best` the gateway that heard it best. `payload` is None for who may not read it."""

    received_at: datetime
    f_cnt: int
    dev_addr: str
    f_port: int | None
    spreading_factor: int | None
    adr: bool
    outcome: str
    detail: str
    payload: bytes | None
    gateways: int
    best: str | None
    rssi_dbm: float | None
    snr_db: float | None


SELECT_FRAMES: Final = """
SELECT frame.received_at, f_cnt, dev_addr, f_port, spreading_factor, adr, outcome, detail, payload,
       coalesce(gateways, 0), coalesce(nullif(best.name, ''), best.gateway_eui), best.rssi_dbm, best.snr_db
  FROM (SELECT *
          FROM uplinks
         WHERE device_id = $1
           AND received_at >= $2
         ORDER BY received_at DESC, uplink_key DESC
         LIMIT $3) AS frame
  LEFT JOIN LATERAL (SELECT name, gateway_eui, rssi_dbm, snr_db, count(*) OVER () AS gateways
                       FROM receptions
                       LEFT JOIN gateways USING (gateway_id)
                      WHERE receptions.device_id = frame.device_id
                        AND receptions.received_at = frame.received_at
                        AND receptions.uplink_key = frame.uplink_key
                      ORDER BY snr_db DESC NULLS LAST, rssi_dbm DESC NULLS LAST
                      LIMIT 1) AS best ON true
 ORDER BY received_at DESC, uplink_key DESC
"""


async def frames(reader: Reader, device_id: int, since: datetime, limit: int) -> list[Frame]:
    """Return the newest frames of a device, the newest first."""
    return [Frame(*row) for row in await reader.fetch(SELECT_FRAMES, device_id, since, limit)]


class Day(NamedTuple):
    """A device's UTC day: frames heard, lost on the way, without a reading, at SF12; counters that began again.

    Then its spreading factors, and the means of the gateway that heard it best; None where that is not known.
    """

    day: date
    frames: int
    lost: int
    undecoded: int
    sf12: int
    resets: int
    airtime_us: int
    lowest_factor: int | None
    highest_factor: int | None
    rssi_dbm: float | None
    snr_db: float | None


SELECT_DAYS: Final = """
SELECT day, frames, coalesce(lost, 0), undecoded, sf12, coalesce(resets, 0), airtime_us, lowest, highest, rssi_dbm,
       snr_db
  FROM frames_daily
  LEFT JOIN radio_accounts USING (device_id, day)
  LEFT JOIN (SELECT day, min(nullif(spreading_factor, 0)) AS lowest, max(spreading_factor) AS highest,
                    max(rssi_dbm) AS rssi_dbm, max(snr_db) AS snr_db
               FROM heard_daily
              WHERE device_id = $1
                AND day >= $2
              GROUP BY day) AS heard USING (day)
 WHERE device_id = $1
   AND day >= $2
 ORDER BY day DESC
"""


async def days(reader: Reader, device_id: int, since: date) -> list[Day]:
    """Return the days of a device since then, the newest first."""
    return [Day(*row) for row in await reader.fetch(SELECT_DAYS, device_id, since)]


class HeardBy(NamedTuple):
    """A gateway that heard a device. `gateway_eui` is None for who may not know the network's gateways."""

    gateway_id: int
    gateway_eui: str | None
    name: str | None
    frames: int
    alone: int
    rssi_dbm: float | None
    snr_db: float | None
    margin_db: float | None
    last_day: date


SELECT_HEARD_BY: Final = """
SELECT gateway_id, gateway_eui, name, sum(frames)::bigint, sum(alone)::bigint, sum(rssi_dbm * frames) / sum(frames),
       sum(snr_db * frames) / sum(frames),
       sum(frames * (snr_db + 7.5 + 2.5 * (nullif(spreading_factor, 0) - 7))) / sum(frames), max(day)
  FROM heard_daily
  LEFT JOIN gateways USING (gateway_id)
 WHERE device_id = $1
   AND day >= $2
 GROUP BY gateway_id, gateway_eui, name
 ORDER BY sum(frames) DESC
"""


async def heard_by(reader: Reader, device_id: int, since: date) -> list[HeardBy]:
    """Return which gateways heard a device since then, the one that heard most first."""
    return [HeardBy(*row) for row in await reader.fetch(SELECT_HEARD_BY, device_id, since)]


class Told(NamedTuple):
    """What a network server told of a device. `data` is JSON, as its `kind` has it."""

    received_at: datetime
    kind: str
    data: str


SELECT_TOLD: Final = """
SELECT received_at, kind, data
  FROM network_events
 WHERE device_id = $1
   AND received_at >= $2
   AND kind IN ('join', 'log', 'status')
 ORDER BY received_at DESC
 LIMIT $3
"""


async def told(reader: Reader, device_id: int, since: datetime, limit: int) -> list[Told]:
    """Return joins, statuses and complaints about a device since then, the newest first."""
    return [Told(*row) for row in await reader.fetch(SELECT_TOLD, device_id, since, limit)]
