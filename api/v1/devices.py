"""GET /api/v1/devices: the LoRaWAN devices of a tenant, and how they were last heard."""

from typing import Final

from aiohttp import web

from api import models, pagination, tenancy
from api.answers import json_answer
from api.context import reader
from api.query import Query
from store.reading import network

PATH: Final = "/api/v1/devices"


async def list_devices(request: web.Request) -> web.Response:
    """Answer one page of a tenant's devices."""
    asked = pagination.asked(Query(request, {tenancy.PARAMETER, *pagination.PARAMETERS}), "devices")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await network.devices(connection, tenant.tenant_id, after=asked.after, limit=asked.limit)
    return json_answer(request, pagination.answer(models.Page[models.Device], "devices", page, to_model))


def to_model(device: network.Device) -> models.Device:
    """Return what the API says of a device. Its number in the store is nobody's business."""
    fields = device._asdict()
    del fields["device_id"]
    return models.Device(**fields)


ROUTES: Final = (web.get(PATH, list_devices),)
