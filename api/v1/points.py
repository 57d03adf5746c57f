"""What is measured at the sites of a tenant, or at one of them."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from api import models, pagination, tenancy
from api.access import HEALTH, require
from api.context import reader
from api.endpoint import get
from api.parameters import Id, PagedOfTenant
from store.reading import territory

PATH: Final = "/api/v1/points"


class PointsQuery(PagedOfTenant):
    """Which points of a tenant."""

    site_id: Annotated[Id | None, Field(description="those of one site")] = None


@require(HEALTH)
async def list_points(request: web.Request, query: PointsQuery) -> models.Page[models.Point]:
    """List the points of a tenant. A site of another tenant has none, as an absent one."""
    asked = pagination.asked(query, "points")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await territory.points(connection, tenant.tenant_id, query.site_id, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[models.Point], "points", page, to_model)


def to_model(point: territory.Point) -> models.Point:
    """Return what the API says of a point."""
    return models.Point(
        id=point.point_id,
        site_id=point.site_id,
        name=point.name,
        dev_eui=point.dev_eui,
        is_individual=point.is_individual,
    )


ROUTES: Final = (get(PATH, list_points),)
