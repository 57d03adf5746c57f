"""The relay antennas. They are the network's: supervisors alone will see them."""

from typing import Final

from aiohttp import web

from api import models, pagination
from api.access import SUPERVISE, require
from api.context import reader
from api.endpoint import get
from api.parameters import Paged
from store.reading import network

PATH: Final = "/api/v1/gateways"


@require(SUPERVISE)
async def list_gateways(request: web.Request, query: Paged) -> models.Page[models.Gateway]:
    """List the gateways of the network."""
    asked = pagination.asked(query, "gateways")
    async with reader(request) as connection:
        page = await network.gateways(connection, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[models.Gateway], "gateways", page, to_model)


def to_model(gateway: network.Gateway) -> models.Gateway:
    """Return what the API says of a gateway."""
    fields = gateway._asdict()
    del fields["gateway_id"]
    return models.Gateway(**fields)


ROUTES: Final = (get(PATH, list_gateways),)
