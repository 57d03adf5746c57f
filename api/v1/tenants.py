"""The tenants that the reader may see (all of them, until there are accounts)."""

from typing import Final

from aiohttp import web

from api import models, pagination
from api.access import SIGNED_IN, require
from api.context import reader
from api.endpoint import get
from api.parameters import Paged
from store.reading import territory

PATH: Final = "/api/v1/tenants"


@require(SIGNED_IN)
async def list_tenants(request: web.Request, query: Paged) -> models.Page[models.Tenant]:
    """List the tenants that the reader may see."""
    asked = pagination.asked(query, "tenants")
    async with reader(request) as connection:
        page = await territory.tenants(connection, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[models.Tenant], "tenants", page, to_model)


def to_model(tenant: territory.Tenant) -> models.Tenant:
    """Return what the API says of a tenant."""
    return models.Tenant(
        id=tenant.tenant_id,
        slug=tenant.slug,
        name=tenant.name,
        kind=tenant.kind,
        parent_id=tenant.parent_id,
        insee=tenant.insee,
        siren=tenant.siren,
        time_zone=tenant.time_zone,
    )


ROUTES: Final = (get(PATH, list_tenants),)
