"""The LoRaWAN devices of a tenant: how they were last heard, and how technicians declare them."""

from typing import Annotated, Any, Final

import asyncpg
from aiohttp import web
from pydantic import StringConstraints

from api import models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import reader
from api.endpoint import get, patch, post
from api.parameters import Asked, DevEui, DevEuiPath, ModelId, OfTenant, PagedOfTenant, Text
from store import installing
from store.reading import network

PATH: Final = "/api/v1/devices"


class NewDevice(Asked):
    """A LoRaWAN end device. Its keys are not told here."""

    dev_eui: DevEui
    name: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""
    model_id: ModelId | None = None


class ChangedDevice(Asked):
    """What is to be otherwise of a device; the rest stays."""

    name: Text = ""
    model_id: ModelId | None = None


class DeclaredDevice(models.Answer):
    """A device as it is declared."""

    dev_eui: str
    name: str
    model_id: str | None


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


@require(INSTALL)
async def create_device(request: web.Request, connection: asyncpg.Connection, body: NewDevice) -> DeclaredDevice:
    """Declare a device."""
    tenant = await tenancy.tenant_of(request, connection)
    await installing.add_device(connection, tenant.tenant_id, body.dev_eui, body.name, body.model_id)
    return DeclaredDevice(**body.model_dump())


@require(HEALTH)
async def get_device(request: web.Request, path: DevEuiPath) -> DeclaredDevice:
    """Tell a device as it is declared; the list tells how it was last heard."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _device(path.dev_eui, await installing.device(connection, tenant.tenant_id, path.dev_eui))


async def _held_device(request: web.Request, connection: asyncpg.Connection, path: DevEuiPath) -> DeclaredDevice:
    tenant = await tenancy.tenant_of(request, connection)
    return _device(path.dev_eui, await installing.device(connection, tenant.tenant_id, path.dev_eui, held=True))


def _device(dev_eui: str, found: dict[str, Any]) -> DeclaredDevice:
    return DeclaredDevice(dev_eui=dev_eui, name=found["name"], model_id=found["model_id"])


@require(INSTALL)
async def change_device(
    request: web.Request, connection: asyncpg.Connection, path: DevEuiPath, body: ChangedDevice
) -> DeclaredDevice:
    """Change what is given of a device."""
    tenant = await tenancy.tenant_of(request, connection)
    given = body.model_dump(exclude_unset=True)
    found = await installing.change_device(connection, tenant.tenant_id, path.dev_eui, given)
    return _device(path.dev_eui, found)


ROUTES: Final = (
    get(PATH, list_devices),
    post(PATH, create_device, query=OfTenant),
    get(f"{PATH}/{{dev_eui}}", get_device, query=OfTenant),
    patch(f"{PATH}/{{dev_eui}}", change_device, query=OfTenant, held=_held_device),
)
