"""The relay antennas: when each was heard, what it heard, and what hangs on it."""

from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.reading.pages import Reader


class Antenna(NamedTuple):
    """A gateway. `heard_at` is of the last uplink it relayed or status it sent, None before both.

    `told` has a bit for each hour of the period asked with at least one status, the lowest for its first hour; `asked`
    and `sent` are frames to send and sent in it. `devices` were heard by it lately, `alone` of them by no other.
    """

    gateway_id: int
    gateway_eui: str
    name: str
    latitude_deg: float | None
    longitude_deg: float | None
    altitude_m: float | None
    created_at: datetime
    heard_at: datetime | None
    told: int
    received: int
    intact: int
    asked: int
    sent: int
    devices: int
    alone: int


_ANTENNA: Final = """
       gateways.gateway_id, gateway_eui, name, latitude_deg, longitude_deg, altitude_m, created_at,
       greatest(relayed_at, coalesce(told_at,
                                     (SELECT last_at
                                        FROM gateway_hours AS earlier
                                       WHERE earlier.gateway_id = gateways.gateway_id
                                       ORDER BY hour DESC
                                       LIMIT 1),
                                     last_gateway_event_at(gateways.gateway_id))),
       coalesce(told, 0), coalesce(received, 0)::bigint,
       coalesce(intact, 0)::bigint, coalesce(asked, 0)::bigint, coalesce(sent, 0)::bigint,
       coalesce(devices, 0)::integer, coalesce(alone, 0)::integer
  FROM gateways"""

_RELAYED: Final = "gateway_id, max(heard_at) AS relayed_at FROM gateways_heard"

_TOLD: Final = """
       gateway_id, max(last_at) AS told_at,
       bit_or(1::bigint << (date_part('epoch', hour - $1::timestamptz) / 3600)::integer) AS told,
       sum(received) AS received, sum(intact) AS intact, sum(asked) AS asked, sum(sent) AS sent
  FROM gateway_hours
 WHERE hour >= $1::timestamptz
   AND hour < $1::timestamptz + interval '60 hours'"""

_SERVING: Final = "gateway_id, sum(devices) AS devices, sum(alone) AS alone FROM gateway_tenants"

SELECT_ANTENNAS: Final = f"""
SELECT {_ANTENNA}
  LEFT JOIN (SELECT {_RELAYED} GROUP BY gateway_id) AS relayed USING (gateway_id)
  LEFT JOIN (SELECT {_TOLD} GROUP BY gateway_id) AS told USING (gateway_id)
  LEFT JOIN (SELECT {_SERVING} GROUP BY gateway_id) AS served USING (gateway_id)
 ORDER BY gateways.gateway_id
"""


async def antennas(reader: Reader, since: datetime) -> list[Antenna]:
    """Return all antennas, with what they told since then (a whole hour, less than 60 hours ago)."""
    return [Antenna(*row) for row in await reader.fetch(SELECT_ANTENNAS, since)]


_OF_ONE: Final = "gateway_id = gateways.gateway_id GROUP BY 1"

SELECT_ANTENNA: Final = f"""
SELECT {_ANTENNA}
  LEFT JOIN LATERAL (SELECT {_RELAYED} AS one WHERE one.{_OF_ONE}) AS relayed ON true
  LEFT JOIN LATERAL (SELECT {_TOLD} AND gateway_hours.{_OF_ONE}) AS told ON true
  LEFT JOIN LATERAL (SELECT {_SERVING} AS one WHERE one.{_OF_ONE}) AS served ON true
 WHERE gateway_eui = $2
"""


async def antenna(reader: Reader, gateway_eui: str, since: datetime) -> Antenna:
    """Return one antenna, with the same. Raises NotFoundError when there is none, or none for whoever asks."""
    row = await reader.fetchrow(SELECT_ANTENNA, since, gateway_eui)
    if row is None:
        raise NotFoundError
    return Antenna(*row)


SELECT_HEARD_AT: Final = """
SELECT gateway_id,
       greatest((SELECT max(heard_at) FROM gateways_heard WHERE gateways_heard.gateway_id = gateways.gateway_id),
                last_gateway_event_at(gateway_id))
  FROM gateways
 WHERE gateway_id = ANY($1::integer[])
"""


async def heard_at(reader: Reader, gateway_ids: list[int]) -> dict[int, datetime | None]:
    """Return when each of these antennas relayed an uplink or sent a status last; those that one may not know lack."""
    return {row[0]: row[1] for row in await reader.fetch(SELECT_HEARD_AT, gateway_ids)}


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
SELECT day, spreading_factor, devices, frames, airtime_us, rssi_dbm, snr_db
  FROM gateway_days
 WHERE gateway_id = $1
   AND day >= $2
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
  FROM (SELECT device_id, tenant_id, margin_db
          FROM device_health
         WHERE only_gateway_id = $1
         ORDER BY margin_db NULLS FIRST, device_id
         LIMIT $2) AS worst
 CROSS JOIN LATERAL (SELECT dev_eui, name FROM devices WHERE devices.device_id = worst.device_id OFFSET 0) AS devices
 CROSS JOIN LATERAL (SELECT slug, name FROM tenants WHERE tenants.tenant_id = worst.tenant_id OFFSET 0) AS tenants
 ORDER BY margin_db NULLS FIRST, dev_eui
"""


async def dependents(reader: Reader, gateway_id: int, limit: int) -> list[Dependent]:
    """Return the devices that this antenna alone hears, the worst heard first."""
    return [Dependent(*row) for row in await reader.fetch(SELECT_DEPENDENTS, gateway_id, limit)]


# Whole hours as maintenance counted them, and what was told since.
SELECT_SENT: Final = """
SELECT frequency_hz, sum(sent)::bigint
  FROM (SELECT frequency_hz, sent
          FROM gateway_frequencies
         WHERE gateway_id = $1
           AND hour >= $2
         UNION ALL
        SELECT told.key::bigint, told.value::bigint
          FROM network_events, jsonb_each_text(data -> 'tx_packets_per_frequency_hz') AS told
         WHERE gateway_id = $1
           AND received_at >= greatest($2, (SELECT max(hour) + interval '1 hour' FROM gateway_frequencies))
           AND kind = 'gateway_stats'
           AND told.key ~ '^[0-9]{1,12}$') AS one
 GROUP BY frequency_hz
 ORDER BY frequency_hz
"""


async def sent_by_frequency(reader: Reader, gateway_id: int, since: datetime) -> dict[int, int]:
    """Return how many frames an antenna sent since then (a whole hour), by frequency in Hz."""
    return {row[0]: row[1] for row in await reader.fetch(SELECT_SENT, gateway_id, since)}


UPDATE_NAME: Final = """
UPDATE gateways SET name = $2 WHERE gateway_eui = $1
"""


async def call(connection: asyncpg.Connection, gateway_eui: str, name: str) -> None:
    """Give an antenna the name by which people know it; '' takes it away. Raises NotFoundError."""
    if await connection.execute(UPDATE_NAME, gateway_eui, name) == "UPDATE 0":
        raise NotFoundError
