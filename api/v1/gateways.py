"""GET /api/v1/gateways: the relay antennas. They are the network's: supervisors alone will see them."""

from typing import Final

from aiohttp import web

from api import models, pagination
from api.answers import json_answer
from api.context import reader
from api.query import Query
from store.reading import network

PATH: Final = "/api/v1/gateways"


async def list_gateways(request: web.Request) -> web.Response:
    """Answer one page of gateways."""
    asked = pagination.asked(Query(request, pagination.PARAMETERS), "gateways")
    async with reader(request) as connection:
        page = await network.gateways(connection, after=asked.after, limit=asked.limit)
    return json_answer(request, pagination.answer(models.Page[models.Gateway], "gateways", page, to_model))


def to_model(gateway: network.Gateway) -> models.Gateway:
    """Return what the API says of a gateway."""
    fields = gateway._asdict()
    del fields["gateway_id"]
    return models.Gateway(**fields)


ROUTES: Final = (web.get(PATH, list_gateways),)
