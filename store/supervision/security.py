"""What is odd: counters that begin again, complaints, devices that nobody declared, foreign traffic."""

from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from domain.quarantine import UNKNOWN_DEVICE
from store.reading.pages import Reader


class Reset(NamedTuple):
    """A device whose frame counter began again, over its last seven days with frames."""

    dev_eui: str
    name: str
    slug: str
    tenant: str
    resets: int
    heard: int


SELECT_RESETS: Final = """
SELECT dev_eui, devices.name, slug, tenants.name, resets, heard
  FROM (SELECT device_id, tenant_id, resets, heard
          FROM device_health
         WHERE resets >= $1
         ORDER BY resets DESC, device_id
         LIMIT $2) AS worst
 CROSS JOIN LATERAL (SELECT dev_eui, name FROM devices WHERE devices.device_id = worst.device_id OFFSET 0) AS devices
 CROSS JOIN LATERAL (SELECT slug, name FROM tenants WHERE tenants.tenant_id = worst.tenant_id OFFSET 0) AS tenants
 ORDER BY resets DESC, dev_eui
"""


async def resets(reader: Reader, least: int, limit: int) -> list[Reset]:
    """Return the devices whose counter began again so often, the worst first."""
    return [Reset(*row) for row in await reader.fetch(SELECT_RESETS, least, limit)]


class Complaint(NamedTuple):
    """What a network server complained of about a device: its code and words, how often, when last."""

    dev_eui: str
    name: str
    tenant: str
    code: str
    description: str
    times: int
    last_at: datetime


SELECT_COMPLAINTS: Final = """
SELECT dev_eui, devices.name, tenants.name, code, description, times, last_at
  FROM (SELECT device_id, coalesce(data ->> 'code', '') AS code, coalesce(data ->> 'description', '') AS description,
               count(*) AS times, max(received_at) AS last_at
          FROM (SELECT device_id, data, received_at
                  FROM network_events
                 WHERE kind = 'log'
                   AND received_at >= $1
                 LIMIT $3) AS lately
         GROUP BY 1, 2, 3
         ORDER BY times DESC, last_at DESC
         LIMIT $2) AS complaint
 CROSS JOIN LATERAL (SELECT dev_eui, name, tenant_id FROM devices WHERE devices.device_id = complaint.device_id
                     OFFSET 0) AS devices
 CROSS JOIN LATERAL (SELECT name FROM tenants WHERE tenants.tenant_id = devices.tenant_id OFFSET 0) AS tenants
 ORDER BY times DESC, last_at DESC
"""


async def complaints(reader: Reader, since: datetime, limit: int, most: int) -> list[Complaint]:
    """Return what network servers complained of since then (of `most` events at most), the most frequent first."""
    return [Complaint(*row) for row in await reader.fetch(SELECT_COMPLAINTS, since, limit, most)]


class Unknown(NamedTuple):
    """A DevEUI that was heard and is nobody's."""

    dev_eui: str
    first_at: datetime
    last_at: datetime
    times: int


# The newest messages that were set aside: a neighbour's whole network must not make the page slow.
SELECT_UNKNOWN: Final = """
SELECT one.dev_eui, first_at, last_at, times
  FROM (SELECT dev_eui, min(first_at) AS first_at, max(last_at) AS last_at, sum(times)::bigint AS times
          FROM (SELECT dev_eui, first_at, last_at, times
                  FROM quarantine
                 WHERE reason = $1
                   AND replayed_at IS NULL
                   AND dev_eui IS NOT NULL
                 ORDER BY quarantine_id DESC
                 LIMIT $3) AS lately
         GROUP BY dev_eui) AS one
  LEFT JOIN LATERAL (SELECT true AS is_known FROM devices WHERE devices.dev_eui = one.dev_eui OFFSET 0) AS known ON true
 WHERE is_known IS NULL
   AND NOT EXISTS (SELECT FROM ignored_devices WHERE ignored_devices.dev_eui = one.dev_eui)
 ORDER BY times DESC, last_at DESC
 LIMIT $2
"""


async def unknown(reader: Reader, limit: int, most: int) -> list[Unknown]:
    """Return the unknown devices that were heard (in the newest `most` messages set aside), the most frequent first."""
    return [Unknown(*row) for row in await reader.fetch(SELECT_UNKNOWN, UNKNOWN_DEVICE, limit, most)]


INSERT_IGNORED: Final = """
INSERT INTO ignored_devices (dev_eui, ignored_by) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""

DELETE_IGNORED: Final = """
DELETE FROM ignored_devices WHERE dev_eui = $1
"""

SELECT_IGNORED: Final = """
SELECT dev_eui, ignored_at, ignored_by FROM ignored_devices ORDER BY ignored_at DESC LIMIT $1
"""


async def ignore(connection: asyncpg.Connection, dev_eui: str, by: str) -> None:
    """Show an unknown device no more; its messages are set aside as before."""
    await connection.execute(INSERT_IGNORED, dev_eui, by)


async def heed(connection: asyncpg.Connection, dev_eui: str) -> None:
    """Show an unknown device again."""
    await connection.execute(DELETE_IGNORED, dev_eui)


class Ignored(NamedTuple):
    """An unknown DevEUI that is not shown: who said so, when."""

    dev_eui: str
    ignored_at: datetime
    ignored_by: str


async def ignored(reader: Reader, limit: int) -> list[Ignored]:
    """Return the DevEUIs that are not shown, the last ones first."""
    return [Ignored(*row) for row in await reader.fetch(SELECT_IGNORED, limit)]


class Traffic(NamedTuple):
    """What an antenna heard without error, by its network server, and how much of it was ours."""

    gateway_eui: str
    name: str
    intact: int
    ours: int


SELECT_TRAFFIC: Final = """
SELECT gateway_eui, name, intact, coalesce(ours, 0)
  FROM (SELECT gateway_id, sum(intact)::bigint AS intact
          FROM gateway_hours
         WHERE hour >= $1::date::timestamp AT TIME ZONE 'UTC'
           AND hour < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
         GROUP BY gateway_id) AS told
  JOIN gateways USING (gateway_id)
  LEFT JOIN (SELECT gateway_id, sum(frames)::bigint AS ours
               FROM gateway_days
              WHERE day = $1
              GROUP BY gateway_id) AS heard USING (gateway_id)
 ORDER BY intact - coalesce(ours, 0) DESC, gateway_eui
 LIMIT $2
"""


async def traffic(reader: Reader, day: date, limit: int) -> list[Traffic]:
    """Return what antennas heard in a UTC day, those with most foreign traffic first."""
    return [Traffic(*row) for row in await reader.fetch(SELECT_TRAFFIC, day, limit)]
