"""The fleet: by tenant, by model, batteries to change, what is silent and why, how complete the data are."""

from datetime import date, datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader


class Fleet(NamedTuple):
    """Devices of a tenant, or of a model. Frames are of each device's last seven days."""

    slug: str
    name: str
    devices: int
    silent: int
    heard: int
    lost: int
    undecoded: int
    placed: int
    alone: int
    stuck: int
    battery_60: int
    battery_180: int


_SUMS: Final = """
       sum(devices)::integer, sum(silent)::integer, sum(heard)::bigint, sum(lost)::bigint, sum(undecoded)::bigint,
       sum(placed)::integer, sum(alone)::integer, sum(stuck)::integer, sum(battery_60)::integer,
       sum(battery_180)::integer
  FROM fleet_counts"""

SELECT_BY_TENANT: Final = f"""
SELECT slug, name, {_SUMS}
  JOIN tenants USING (tenant_id)
 GROUP BY slug, name
 ORDER BY name
"""

SELECT_BY_MODEL: Final = f"""
SELECT model_id, coalesce(vendor || ' ' || models.name, model_id), {_SUMS}
  LEFT JOIN models USING (model_id)
 GROUP BY model_id, vendor, models.name
 ORDER BY sum(devices) DESC, model_id
"""


async def by_tenant(reader: Reader) -> list[Fleet]:
    """Return the fleet of each tenant that has devices, by name."""
    return [Fleet(*row) for row in await reader.fetch(SELECT_BY_TENANT)]


async def by_model(reader: Reader) -> list[Fleet]:
    """Return the fleet of each model, the most numerous first. `slug` is the model's id, '' where it is unknown."""
    return [Fleet(*row) for row in await reader.fetch(SELECT_BY_MODEL)]


class Battery(NamedTuple):
    """A device whose battery is foretold to end. `battery` in percent or volts, as `kind` has it."""

    slug: str
    tenant: str
    site: str | None
    point: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    dev_eui: str
    name: str
    model: str | None
    kind: str
    battery: float
    end_on: date


_BATTERIES: Final = """
SELECT slug, tenants.name, sites.name, points.name, latitude_deg, longitude_deg, dev_eui, devices.name, models.name,
       battery_kind, battery, battery_end_on
  FROM device_health
  JOIN devices USING (device_id)
  JOIN tenants ON tenants.tenant_id = device_health.tenant_id
  LEFT JOIN models USING (model_id)
  LEFT JOIN assignments ON assignments.device_id = devices.device_id AND upper_inf(during)
  LEFT JOIN points USING (point_id)
  LEFT JOIN sites USING (site_id)
 WHERE battery_end_on < $1"""

_OF_TENANT: Final = "AND device_health.tenant_id = (SELECT tenant_id FROM tenants WHERE slug = $3)"

_BY_TOUR: Final = "ORDER BY tenants.name, sites.name NULLS LAST, battery_end_on, dev_eui LIMIT $2"

SELECT_BATTERIES: Final = f"""
{_BATTERIES}
 {_BY_TOUR}
"""

SELECT_BATTERIES_OF: Final = f"""
{_BATTERIES}
   {_OF_TENANT}
 {_BY_TOUR}
"""


async def batteries(reader: Reader, before: date, slug: str | None, limit: int) -> list[Battery]:
    """Return batteries that end before a day, as somebody would drive: tenant by tenant, site by site."""
    if slug is None:
        rows = await reader.fetch(SELECT_BATTERIES, before, limit)
    else:
        rows = await reader.fetch(SELECT_BATTERIES_OF, before, limit, slug)
    return [Battery(*row) for row in rows]


SELECT_CAUSES: Final = """
SELECT cause, count(*) FROM silent_devices GROUP BY cause
"""


async def causes(reader: Reader) -> dict[str, int]:
    """Return how many devices are silent, by likely cause."""
    return {row[0]: row[1] for row in await reader.fetch(SELECT_CAUSES)}


class Silent(NamedTuple):
    """A device that says nothing, since when (None: it never spoke), and the likely cause."""

    slug: str
    tenant: str
    site: str | None
    dev_eui: str
    name: str
    model: str | None
    since: datetime | None
    cause: str


SELECT_SILENT: Final = """
SELECT slug, tenants.name, sites.name, dev_eui, devices.name, models.name, since, cause
  FROM (SELECT device_id, tenant_id, since, cause
          FROM silent_devices
         WHERE ($1::text IS NULL OR cause = $1)
           AND ($2::text IS NULL OR tenant_id = (SELECT tenant_id FROM tenants WHERE slug = $2))
         ORDER BY since DESC NULLS LAST, device_id
         LIMIT $3) AS silent
 CROSS JOIN LATERAL (SELECT dev_eui, name, model_id FROM devices WHERE devices.device_id = silent.device_id
                     OFFSET 0) AS devices
 CROSS JOIN LATERAL (SELECT slug, name FROM tenants WHERE tenants.tenant_id = silent.tenant_id OFFSET 0) AS tenants
  LEFT JOIN models USING (model_id)
  LEFT JOIN LATERAL (SELECT sites.name
                       FROM assignments
                       JOIN points USING (point_id)
                       JOIN sites USING (site_id)
                      WHERE assignments.device_id = silent.device_id
                        AND upper_inf(during)
                     OFFSET 0) AS sites ON true
 ORDER BY since DESC NULLS LAST, dev_eui
"""


async def silent(reader: Reader, cause: str | None, slug: str | None, limit: int) -> list[Silent]:
    """Return silent devices, those that fell silent last first."""
    return [Silent(*row) for row in await reader.fetch(SELECT_SILENT, cause, slug, limit)]


class Stuck(NamedTuple):
    """A device that stays at SF12 though it could do with less: ADR is off, or does nothing."""

    dev_eui: str
    name: str
    tenant: str
    model: str | None
    margin_db: float
    heard: int
    sf12: int


# domain.diagnosis.is_stuck, as the index device_health_stuck has it.
SELECT_STUCK: Final = """
SELECT dev_eui, devices.name, tenants.name, models.name, margin_db, heard, sf12
  FROM (SELECT device_id, tenant_id, margin_db, heard, sf12
          FROM device_health
         WHERE heard >= 10 AND sf12 >= 0.9 * heard AND margin_db >= 10
           AND ($1::text IS NULL OR tenant_id = (SELECT tenant_id FROM tenants WHERE slug = $1))
         ORDER BY margin_db DESC
         LIMIT $2) AS stuck
 CROSS JOIN LATERAL (SELECT dev_eui, name, model_id FROM devices WHERE devices.device_id = stuck.device_id
                     OFFSET 0) AS devices
 CROSS JOIN LATERAL (SELECT name FROM tenants WHERE tenants.tenant_id = stuck.tenant_id OFFSET 0) AS tenants
  LEFT JOIN models USING (model_id)
 ORDER BY margin_db DESC, dev_eui
"""


async def stuck(reader: Reader, slug: str | None, limit: int) -> list[Stuck]:
    """Return the devices that stay at SF12 for nothing, those with most margin to spare first."""
    return [Stuck(*row) for row in await reader.fetch(SELECT_STUCK, slug, limit)]


class Day(NamedTuple):
    """Frames of a UTC day, and how many the devices in service should have sent."""

    day: date
    frames: int
    undecoded: int
    expected: int


SELECT_DAYS: Final = """
SELECT day, sum(frames)::bigint, sum(undecoded)::bigint, sum(expected)::bigint
  FROM fleet_days
 WHERE day >= $1
   AND day < $2
 GROUP BY day
 ORDER BY day DESC
"""


async def days(reader: Reader, since: date, until: date) -> list[Day]:
    """Return the days of the whole fleet, the newest first."""
    return [Day(*row) for row in await reader.fetch(SELECT_DAYS, since, until)]
