"""The newest value of everything that a tenant measures."""

from typing import Annotated, Final, cast

from aiohttp import web
from pydantic import Field

from api import latest, models, tenancy
from api.access import READ, require
from api.context import reader
from api.endpoint import get
from api.parameters import COMMAS, Id, OfTenant, QuantityName
from store.reading.latest import latest_values

PATH: Final = "/api/v1/latest"


class LatestQuery(OfTenant):
    """Of which points and quantities: of all, unless said."""

    points: Annotated[
        Annotated[list[Id], Field(min_length=1, max_length=100), COMMAS] | None,
        Field(description="ids of points, with commas"),
    ] = None
    quantity: Annotated[
        Annotated[list[QuantityName], Field(min_length=1, max_length=10), COMMAS] | None,
        Field(description="names of quantities, with commas"),
    ] = None


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
