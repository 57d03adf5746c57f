"""GET /api/v1/points: what is measured at the sites of a tenant, or at one of them."""

from typing import Final

from aiohttp import web

from api import models, pagination, tenancy
from api.answers import json_answer
from api.context import reader
from api.query import MAX_ID, Query
from store.reading import territory

PATH: Final = "/api/v1/points"


async def list_points(request: web.Request) -> web.Response:
    """Answer one page of a tenant's points. A site of another tenant has none, as an absent one."""
    query = Query(request, {tenancy.PARAMETER, "site_id", *pagination.PARAMETERS})
    asked = pagination.asked(query, "points")
    site_id = query.integer("site_id", low=1, high=MAX_ID)
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await territory.points(connection, tenant.tenant_id, site_id, after=asked.after, limit=asked.limit)
    return json_answer(request, pagination.answer(models.Page[models.Point], "points", page, to_model))


def to_model(point: territory.Point) -> models.Point:
    """Return what the API says of a point."""
    return models.Point(id=point.point_id, site_id=point.site_id, name=point.name, dev_eui=point.dev_eui)


ROUTES: Final = (web.get(PATH, list_points),)
