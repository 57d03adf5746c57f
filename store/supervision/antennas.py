"""The relay antennas: when each was heard, what it heard, and what hangs on it."""

from datetime import date, datetime
from typing import Final, NamedTuple

from domain.errors import NotFoundError
from store.reading.pages import Reader


class Antenna(NamedTuple):
    """A gateway. `heard_at` is of the last uplink it relayed or status it sent, None before both.

    `hours` are those of the period asked with at least one status, and `events` how many each had; `asked` and `sent`
    are frames to send and sent in them. `devices` were heard by it lately, `alone` of them by no other.
    """

    gateway_id: int
    gateway_eui: str
    name: str
    latitude_deg: float | None
    longitude_deg: float | None
    altitude_m: float | None
    created_at: datetime
    heard_at: datetime | None
    hours: list[datetime]
    events: list[int]
    received: int
    intact: int
    asked: int
    sent: int
    devices: int
    alone: int


SELECT_ANTENNAS: Final = """
SELECT gateways.gateway_id, gateway_eui, name, latitude_deg, longitude_deg, altitude_m, created_at,
       greatest(relayed_at, coalesce(last_at, last_gateway_event_at(gateways.gateway_id))),
       coalesce(hours, '{}'), coalesce(events, '{}'), coalesce(received, 0)::bigint,
       coalesce(intact, 0)::bigint, coalesce(asked, 0)::bigint, coalesce(sent, 0)::bigint,
       coalesce(devices, 0)::integer, coalesce(alone, 0)::integer
  FROM gateways
  LEFT JOIN (SELECT gateway_id, max(heard_at) AS relayed_at FROM gateways_heard GROUP BY gateway_id) AS relayed
         USING (gateway_id)
  LEFT JOIN LATERAL (SELECT last_at
                       FROM gateway_hours
                      WHERE gateway_hours.gateway_id = gateways.gateway_id
                      ORDER BY hour DESC
                      LIMIT 1) AS last ON true
  LEFT JOIN (SELECT gateway_id, array_agg(hour ORDER BY hour) AS hours,
                    array_agg(events ORDER BY hour) AS events, sum(received) AS received, sum(intact) AS intact,
                    sum(asked) AS asked, sum(sent) AS sent
               FROM gateway_hours
              WHERE hour >= $1
              GROUP BY gateway_id) AS told USING (gateway_id)
  LEFT JOIN (SELECT gateway_id, sum(devices) AS devices, sum(alone) AS alone
               FROM gateway_tenants
              GROUP BY gateway_id) AS served USING (gateway_id)
 WHERE $2::text IS NULL OR gateway_eui = $2
 ORDER BY gateways.gateway_id
"""


async def antennas(reader: Reader, since: datetime) -> list[Antenna]:
    """Return all antennas, with what they told since then (from a whole hour)."""
    return [Antenna(*row) for row in await reader.fetch(SELECT_ANTENNAS, since, None)]


async def antenna(reader: Reader, gateway_eui: str, since: datetime) -> Antenna:
    """Return one antenna. Raises NotFoundError when there is none, or none for whoever asks."""
    row = await reader.fetchrow(SELECT_ANTENNAS, since, gateway_eui)
    if row is None:
        raise NotFoundError
    return Antenna(*row)


class Served(NamedTuple):
    """A tenant whose devices an antenna hears: how many, how many that no other hears, frames at SF7 to SF12."""

    gateway_id: int
    slug: str
    name: str
    devices: int
    alone: int
    frames: list[int]
    margin_db: float | None


SELECT_SERVED: Final = """
SELECT gateway_id, slug, name, devices, alone, frames, margin_db
  FROM gateway_tenants
  JOIN tenants USING (tenant_id)
 WHERE gateway_id = ANY($1::integer[])
 ORDER BY gateway_id, alone DESC, devices DESC, name
"""


async def served(reader: Reader, gateway_ids: list[int]) -> list[Served]:
    """Return whom these antennas serve, those that hang on one of them alone first."""
    return [Served(*row) for row in await reader.fetch(SELECT_SERVED, gateway_ids)]


class HeardDay(NamedTuple):
    """What an antenna heard of our devices, one UTC day at one spreading factor (0: not known)."""

    day: date
    spreading_factor: int
    devices: int
    frames: int
    airtime_us: int
    rssi_dbm: float | None
    snr_db: float | None


SELECT_HEARD_DAYS: Final = """
SELECT day, spreading_factor, count(*), sum(frames)::bigint, sum(airtime_us)::bigint,
       sum(rssi_dbm * frames) / sum(frames), sum(snr_db * frames) / sum(frames)
  FROM heard_daily
 WHERE gateway_id = $1
   AND day >= $2
 GROUP BY day, spreading_factor
 ORDER BY day DESC, spreading_factor
"""


async def heard_days(reader: Reader, gateway_id: int, since: date) -> list[HeardDay]:
    """Return what an antenna heard since then, the newest day first."""
    return [HeardDay(*row) for row in await reader.fetch(SELECT_HEARD_DAYS, gateway_id, since)]


class Dependent(NamedTuple):
    """A device that only one antenna hears."""

    dev_eui: str
    name: str
    slug: str
    tenant: str
    margin_db: float | None


SELECT_DEPENDENTS: Final = """
SELECT dev_eui, devices.name, slug, tenants.name, margin_db
  FROM device_health
  JOIN devices USING (device_id)
  JOIN tenants ON tenants.tenant_id = device_health.tenant_id
 WHERE only_gateway_id = $1
 ORDER BY margin_db NULLS FIRST, dev_eui
 LIMIT $2
"""


async def dependents(reader: Reader, gateway_id: int, limit: int) -> list[Dependent]:
    """Return the devices that this antenna alone hears, the worst heard first."""
    return [Dependent(*row) for row in await reader.fetch(SELECT_DEPENDENTS, gateway_id, limit)]


SELECT_SENT: Final = """
SELECT told.key::bigint AS frequency_hz, sum(told.value::bigint)::bigint
  FROM network_events, jsonb_each_text(data -> 'tx_packets_per_frequency_hz') AS told
 WHERE gateway_id = $1
   AND received_at >= $2
   AND kind = 'gateway_stats'
   AND told.key ~ '^[0-9]{1,12}$'
 GROUP BY told.key
 ORDER BY told.key
"""


async def sent_by_frequency(reader: Reader, gateway_id: int, since: datetime) -> dict[int, int]:
    """Return how many frames an antenna sent since then, by frequency in Hz."""
    return {row[0]: row[1] for row in await reader.fetch(SELECT_SENT, gateway_id, since)}
