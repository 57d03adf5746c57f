"""Tenants, their sites and points."""

from typing import Final, NamedTuple

from domain.errors import NotFoundError
from domain.uses import Use
from store.reading.pages import Page, Reader, checked_limit, page_of


class Tenant(NamedTuple):
    """A collectivité."""

    tenant_id: int
    parent_id: int | None
    kind: str
    slug: str
    name: str
    insee: str | None
    siren: str | None
    time_zone: str  # IANA name
    moved_to: str | None = None  # the address of the installation where it is now


class Site(NamedTuple):
    """A place of a tenant. WGS 84 degrees, both or none."""

    site_id: int
    name: str
    kind: str
    latitude_deg: float | None
    longitude_deg: float | None


class Point(NamedTuple):
    """What is measured at a site. `device_id` and `dev_eui` are of the device that measures it now, if any does.

    `is_individual` says whether it is one household's or person's meter; None while nobody said. `use` is what it is
    metered for (domain/uses.py); `part_of` the point that counts it as well.
    """

    point_id: int
    site_id: int
    name: str
    device_id: int | None
    dev_eui: str | None
    is_individual: bool | None = None
    use: Use | None = None
    part_of: int | None = None


SELECT_TENANTS: Final = """
SELECT tenant_id, parent_id, kind, slug, name, insee, siren, time_zone
  FROM tenants
 WHERE tenant_id > $1
 ORDER BY tenant_id
 LIMIT $2
"""


async def tenants(reader: Reader, *, after: int | None = None, limit: int = 100) -> Page[Tenant]:
    """Return the tenants in the order of their ids."""
    rows = await reader.fetch(SELECT_TENANTS, after or 0, checked_limit(limit) + 1)
    return page_of([Tenant(**row) for row in rows], [row["tenant_id"] for row in rows], limit)


SELECT_TENANT: Final = """
SELECT tenant_id, parent_id, kind, slug, name, insee, siren, time_zone,
       (SELECT url FROM placements WHERE placements.tenant_id = tenants.tenant_id AND moved_at IS NOT NULL) AS moved_to
  FROM tenants
 WHERE slug = $1
    OR tenant_id = $2
"""


async def tenant_by_slug(reader: Reader, slug: str) -> Tenant:
    """Return one tenant. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_TENANT, slug, None)
    if row is None:
        raise NotFoundError(f"no tenant {slug!r}")
    return Tenant(**row)


async def tenant_by_id(reader: Reader, tenant_id: int) -> Tenant:
    """Return one tenant. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_TENANT, None, tenant_id)
    if row is None:
        raise NotFoundError(f"no tenant {tenant_id}")
    return Tenant(**row)


SELECT_SITES: Final = """
SELECT site_id, name, kind, latitude_deg, longitude_deg
  FROM sites
 WHERE tenant_id = $1
   AND site_id > $2
 ORDER BY site_id
 LIMIT $3
"""


async def sites(reader: Reader, tenant_id: int, *, after: int | None = None, limit: int = 100) -> Page[Site]:
    """Return the sites of a tenant in the order of their ids."""
    rows = await reader.fetch(SELECT_SITES, tenant_id, after or 0, checked_limit(limit) + 1)
    return page_of([Site(**row) for row in rows], [row["site_id"] for row in rows], limit)


SELECT_POINTS: Final = """
SELECT point_id, site_id, points.name, device_id, dev_eui, is_individual, use, part_of
  FROM points
  LEFT JOIN (SELECT point_id, device_id, dev_eui
               FROM assignments
               JOIN devices USING (device_id)
              WHERE of_tenant_id = $1 AND upper_inf(during)) AS measuring USING (point_id)
 WHERE of_tenant_id = $1
   AND ($2::integer IS NULL OR site_id = $2)
   AND point_id > $3
 ORDER BY point_id
 LIMIT $4
"""


async def points(
    reader: Reader, tenant_id: int, site_id: int | None = None, *, after: int | None = None, limit: int = 100
) -> Page[Point]:
    """Return the points of a tenant, or of one of its sites, in the order of their ids.

    A site that does not exist and one of another tenant have no points, both.
    """
    rows = await reader.fetch(SELECT_POINTS, tenant_id, site_id, after or 0, checked_limit(limit) + 1)
    return page_of([Point(**row) for row in rows], [row["point_id"] for row in rows], limit)
