"""GET /api/v1/tenants: the tenants that the reader may see (all of them, until there are accounts)."""

from typing import Final

from aiohttp import web

from api import models, pagination
from api.answers import json_answer
from api.context import reader
from api.query import Query
from store.reading import territory

PATH: Final = "/api/v1/tenants"


async def list_tenants(request: web.Request) -> web.Response:
    """Answer one page of tenants."""
    asked = pagination.asked(Query(request, pagination.PARAMETERS), "tenants")
    async with reader(request) as connection:
        page = await territory.tenants(connection, after=asked.after, limit=asked.limit)
    return json_answer(request, pagination.answer(models.Page[models.Tenant], "tenants", page, to_model))


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


ROUTES: Final = (web.get(PATH, list_tenants),)
