"""The LoRaWAN devices of a tenant, and how they were last heard."""

from typing import Final

from aiohttp import web

from api import models, pagination, tenancy
from api.access import HEALTH, require
from api.context import reader
from api.endpoint import get
from api.parameters import PagedOfTenant
from store.reading import network

PATH: Final = "/api/v1/devices"


@require(HEALTH)
async def list_devices(request: web.Request, query: PagedOfTenant) -> models.Page[models.Device]:
    """List the devices of a tenant."""
    asked = pagination.asked(query, "devices")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await network.devices(connection, tenant.tenant_id, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[models.Device], "devices", page, to_model)


def to_model(device: network.Device) -> models.Device:
    """Return what the API says of a device. Its number in the store is nobody's business."""
    fields = device._asdict()
    del fields["device_id"]
    return models.Device(**fields)


ROUTES: Final = (get(PATH, list_devices),)
