"""The places of a tenant: told, and declared by technicians."""

from typing import Any, Final

import asyncpg
from aiohttp import web

from api import models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import reader
from api.endpoint import delete, get, patch, post
from api.models import Site
from api.parameters import Asked, IdPath, Latitude, Longitude, OfTenant, PagedOfTenant, SiteKind, Text
from store import installing
from store.reading import territory

PATH: Final = "/api/v1/sites"


class NewSite(Asked):
    """A place to be."""

    name: Text
    kind: SiteKind = "other"
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None


class ChangedSite(Asked):
    """What is to be otherwise of a place; the rest stays."""

    name: Text = ""
    kind: SiteKind = ""
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None


@require(HEALTH)
async def list_sites(request: web.Request, query: PagedOfTenant) -> models.Page[Site]:
    """List the sites of a tenant."""
    asked = pagination.asked(query, "sites")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await territory.sites(connection, tenant.tenant_id, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[Site], "sites", page, to_model)


def to_model(site: territory.Site) -> Site:
    """Return what the API says of a site."""
    return Site(
        id=site.site_id,
        name=site.name,
        kind=site.kind,
        latitude_deg=site.latitude_deg,
        longitude_deg=site.longitude_deg,
    )


@require(INSTALL)
async def create_site(request: web.Request, connection: asyncpg.Connection, body: NewSite) -> Site:
    """Make a site."""
    tenant = await tenancy.tenant_of(request, connection)
    site_id = await installing.add_site(connection, tenant.tenant_id, body.model_dump())
    return Site(id=site_id, **body.model_dump())


@require(HEALTH)
async def get_site(request: web.Request, path: IdPath) -> Site:
    """Tell one site."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _site(await installing.site(connection, tenant.tenant_id, path.id))


async def _held_site(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Site:
    tenant = await tenancy.tenant_of(request, connection)
    return _site(await installing.site(connection, tenant.tenant_id, path.id, held=True))


def _site(found: dict[str, Any]) -> Site:
    return Site(id=found["site_id"], **{name: value for name, value in found.items() if name != "site_id"})


@require(INSTALL)
async def change_site(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: ChangedSite) -> Site:
    """Change what is given of a site."""
    tenant = await tenancy.tenant_of(request, connection)
    found = await installing.change_site(connection, tenant.tenant_id, path.id, body.model_dump(exclude_unset=True))
    return _site(found)


@require(INSTALL)
async def delete_site(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Take away a site that has no points."""
    tenant = await tenancy.tenant_of(request, connection)
    await installing.remove_site(connection, tenant.tenant_id, path.id)


ROUTES: Final = (
    get(PATH, list_sites),
    post(PATH, create_site, query=OfTenant),
    get(f"{PATH}/{{id}}", get_site, query=OfTenant),
    patch(f"{PATH}/{{id}}", change_site, query=OfTenant, held=_held_site),
    delete(f"{PATH}/{{id}}", delete_site, query=OfTenant, held=_held_site),
)
