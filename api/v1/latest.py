"""The newest value of everything that a tenant measures."""

from typing import Final, cast

from aiohttp import web

from api import latest, models, tenancy
from api.access import READ, require
from api.context import reader
from api.endpoint import get
from api.parameters import Chosen, OfTenant
from store.reading.latest import latest_values

PATH: Final = "/api/v1/latest"


class LatestQuery(Chosen, OfTenant):
    """Of which points and quantities: of all, unless said."""


class LatestValues(models.Answer):
    """The newest value of each point, quantity and channel."""

    items: list[models.LatestValue]


@require(READ)
async def list_latest(request: web.Request, query: LatestQuery) -> LatestValues:
    """Tell the newest value of each quantity at each point. `/api/v1/live` tells what changes of it."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await latest_values(connection, tenant.tenant_id)
    points, quantities = set(query.points or ()), set(query.quantity or ())
    told = [
        {**value._asdict(), "unit": latest.unit_of(value.quantity)}  # made here: nothing is left to validate
        for value in found
        if (not points or value.point_id in points) and (not quantities or value.quantity in quantities)
    ]
    return LatestValues.model_construct(items=cast("list[models.LatestValue]", told))


ROUTES: Final = (get(PATH, list_latest),)
