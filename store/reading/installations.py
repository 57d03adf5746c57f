"""What technicians did on the ground, and what they need to know to do it: places near by, models, who may go where."""

from datetime import datetime
from typing import Final, NamedTuple

from domain.errors import NotFoundError
from store.reading.pages import Reader


class Ground(NamedTuple):
    """A tenant on which whoever asks may install."""

    slug: str
    name: str
    kind: str
    insee: str | None


SELECT_GROUNDS: Final = """
SELECT slug, name, kind, insee
  FROM tenants
 WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])
   AND ($1 = '' OR insee = $1 OR name ILIKE '%' || replace(replace($1, '\\', '\\\\'), '%', '\\%') || '%' OR slug = $1)
 ORDER BY name
 LIMIT $2
"""


async def grounds(reader: Reader, sought: str = "", limit: int = 20) -> list[Ground]:
    """Return where whoever asks may install, by name: those whose INSEE code is `sought`, or whose name has it."""
    return [Ground(**row) for row in await reader.fetch(SELECT_GROUNDS, sought, limit)]


class NearSite(NamedTuple):
    """A site, its tenant, and how far it is."""

    slug: str
    tenant: str
    site_id: int
    name: str
    distance_m: float


# On a plane tangent at the place: right to a few metres where it matters, nearby.
SELECT_NEAR: Final = """
SELECT slug, tenants.name AS tenant, site_id, sites.name, distance_m
  FROM sites
  JOIN tenants USING (tenant_id)
 CROSS JOIN LATERAL (SELECT 111320 * sqrt((latitude_deg - $1) ^ 2
                                          + ((longitude_deg - $2) * cosd($1)) ^ 2) AS distance_m) AS far
 WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])
   AND latitude_deg BETWEEN $1 - 0.05 AND $1 + 0.05
   AND distance_m <= $3
 ORDER BY distance_m
 LIMIT $4
"""


async def near(
    reader: Reader, latitude_deg: float, longitude_deg: float, *, within_m: float = 3000, limit: int = 5
) -> list[NearSite]:
    """Return the sites near by on which whoever asks may install, the nearest first."""
    rows = await reader.fetch(SELECT_NEAR, latitude_deg, longitude_deg, within_m, limit)
    return [NearSite(**row) for row in rows]


SELECT_MODELS: Final = """
SELECT model_id, vendor || ' ' || name AS name FROM models ORDER BY lower(vendor), lower(name)
"""


async def models(reader: Reader) -> list[tuple[str, str]]:
    """Return the models that are known: id and name."""
    return [(row["model_id"], row["name"]) for row in await reader.fetch(SELECT_MODELS)]


SELECT_MODEL_NAMES: Final = """
SELECT model_id, vendor, name FROM models
"""


async def model_names(reader: Reader) -> list[tuple[str, str, str]]:
    """Return the models that are known: id, vendor, name."""
    return [tuple(row) for row in await reader.fetch(SELECT_MODEL_NAMES)]


class Installation(NamedTuple):
    """One act on a device, and where. `by` is the account; the point's names are None when it went into stock."""

    installation_id: int
    slug: str
    tenant: str
    dev_eui: str
    device: str
    model: str | None
    period_s: int | None
    act: str
    done_at: datetime
    recorded_at: datetime
    account_id: int | None
    note: str
    former_dev_eui: str | None
    former_index: float | None
    new_index: float | None
    latitude_deg: float | None
    longitude_deg: float | None
    point_id: int | None
    point: str | None
    site: str | None
    photos: list[datetime]


_SELECT: Final = """
SELECT installation_id, slug, tenants.name AS tenant, dev_eui, devices.name AS device,
       models.vendor || ' ' || models.name AS model,
       period_of(parameters, models.period_s) AS period_s, act, done_at, recorded_at, account_id, note,
       former_dev_eui, former_index, new_index, installations.latitude_deg, installations.longitude_deg,
       installations.point_id, points.name AS point, sites.name AS site,
       ARRAY(SELECT taken_at FROM photos WHERE photos.device_id = installations.device_id
              AND photos.tenant_id = installations.tenant_id ORDER BY taken_at) AS photos
  FROM installations
  JOIN tenants USING (tenant_id)
  JOIN devices USING (device_id)
  LEFT JOIN models USING (model_id)
  LEFT JOIN points USING (point_id)
  LEFT JOIN sites USING (site_id)
"""

SELECT_LAST: Final = f"""
{_SELECT}
 WHERE installations.tenant_id = $1 AND dev_eui = $2
 ORDER BY done_at DESC, installation_id DESC
 LIMIT 1
"""


async def last_of(reader: Reader, tenant_id: int, dev_eui: str) -> Installation:
    """Return the last act on a device of a tenant. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_LAST, tenant_id, dev_eui)
    if row is None:
        raise NotFoundError
    return Installation(**row)


SELECT_OF_ACCOUNT: Final = f"""
{_SELECT}
 WHERE account_id = $1 AND done_at >= $2 AND done_at < $3
 ORDER BY done_at DESC, installation_id DESC
 LIMIT 500
"""


async def of_account(reader: Reader, account_id: int, since: datetime, until: datetime) -> list[Installation]:
    """Return what somebody did between two moments, wherever it was, the last first."""
    return [Installation(**row) for row in await reader.fetch(SELECT_OF_ACCOUNT, account_id, since, until)]


SELECT_OF_TENANT: Final = f"""
{_SELECT}
 WHERE installations.tenant_id = $1 AND installation_id > $2
 ORDER BY installation_id
 LIMIT $3
"""


async def of_tenant(reader: Reader, tenant_id: int, *, after: int, limit: int) -> list[Installation]:
    """Return what was done on a tenant's devices, in the order of the ids."""
    return [Installation(**row) for row in await reader.fetch(SELECT_OF_TENANT, tenant_id, after, limit)]


SELECT_PHOTO: Final = """
SELECT content FROM photos JOIN devices USING (device_id)
 WHERE photos.tenant_id = $1 AND dev_eui = $2 AND taken_at = $3
"""


async def photo(reader: Reader, tenant_id: int, dev_eui: str, taken_at: datetime) -> bytes:
    """Return a picture (JPEG). Raises NotFoundError."""
    content: bytes | None = await reader.fetchval(SELECT_PHOTO, tenant_id, dev_eui, taken_at)
    if content is None:
        raise NotFoundError
    return content


class Stocked(NamedTuple):
    """A device that measures nothing: since when, and where it was last; None when it was never put in place."""

    device_id: int
    dev_eui: str
    name: str
    model_id: str | None
    model: str | None
    slug: str
    tenant: str
    since: datetime
    point: str | None
    site: str | None


_STOCK: Final = """
SELECT device_id, dev_eui, devices.name, model_id, models.vendor || ' ' || models.name AS model, slug,
       tenants.name AS tenant, coalesce(last.ended_at, devices.created_at) AS since, last.point, last.site
  FROM devices
  JOIN tenants USING (tenant_id)
  LEFT JOIN models USING (model_id)
  LEFT JOIN LATERAL (SELECT upper(during) AS ended_at, points.name AS point, sites.name AS site
                       FROM assignments
                       JOIN points USING (point_id)
                       JOIN sites USING (site_id)
                      WHERE assignments.device_id = devices.device_id
                      ORDER BY upper(during) DESC
                      LIMIT 1) AS last ON true
 WHERE tenant_id = ANY ((SELECT allowed('install'))::integer[])
   AND NOT EXISTS (SELECT
                     FROM assignments
                    WHERE assignments.device_id = devices.device_id AND upper_inf(during))
"""

SELECT_STOCK: Final = f"""
{_STOCK}
   AND ($1 = '' OR strpos(lower(concat_ws(' ', dev_eui, devices.name, models.vendor, models.name, tenants.name)),
                          lower($1)) > 0)
 ORDER BY since DESC, dev_eui
 LIMIT $2
"""


async def stock(reader: Reader, sought: str, limit: int) -> list[Stocked]:
    """Return the devices in stock where whoever asks may install, the last taken away first.

    `sought` is in the DevEUI, the name, the model or the tenant's name.
    """
    return [Stocked(**row) for row in await reader.fetch(SELECT_STOCK, sought, limit)]


class Placed(NamedTuple):
    """Where a device measures now, and where that is."""

    slug: str
    point_id: int
    point: str
    site: str
    latitude_deg: float | None
    longitude_deg: float | None


SELECT_PLACED: Final = """
SELECT dev_eui, slug, point_id, points.name AS point, sites.name AS site, sites.latitude_deg, sites.longitude_deg
  FROM devices
  JOIN assignments USING (device_id)
  JOIN points USING (point_id)
  JOIN sites USING (site_id)
  JOIN tenants ON tenants.tenant_id = sites.tenant_id
 WHERE dev_eui = ANY ($1::text[])
   AND upper_inf(during)
"""


async def placed(reader: Reader, dev_euis: list[str]) -> dict[str, Placed]:
    """Return where these devices measure now, by DevEUI; without those that measure nothing."""
    return {dev_eui: Placed(*where) for dev_eui, *where in await reader.fetch(SELECT_PLACED, dev_euis)}


SELECT_STOCK_OF: Final = f"""
{_STOCK}
   AND tenant_id = $1
   AND device_id > $2
 ORDER BY device_id
 LIMIT $3
"""


async def stock_of(reader: Reader, tenant_id: int, *, after: int, limit: int) -> list[Stocked]:
    """Return the devices of a tenant in stock, in the order of their ids."""
    return [Stocked(**row) for row in await reader.fetch(SELECT_STOCK_OF, tenant_id, after, limit)]
