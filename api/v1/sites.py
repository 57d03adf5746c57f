"""The places of a tenant."""

from typing import Final

from aiohttp import web

from api import models, pagination, tenancy
from api.access import HEALTH, require
from api.context import reader
from api.endpoint import get
from api.parameters import PagedOfTenant
from store.reading import territory

PATH: Final = "/api/v1/sites"


@require(HEALTH)
async def list_sites(request: web.Request, query: PagedOfTenant) -> models.Page[models.Site]:
    """List the sites of a tenant."""
    asked = pagination.asked(query, "sites")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await territory.sites(connection, tenant.tenant_id, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[models.Site], "sites", page, to_model)


def to_model(site: territory.Site) -> models.Site:
    """Return what the API says of a site."""
    return models.Site(
        id=site.site_id,
        name=site.name,
        kind=site.kind,
        latitude_deg=site.latitude_deg,
        longitude_deg=site.longitude_deg,
    )


ROUTES: Final = (get(PATH, list_sites),)
