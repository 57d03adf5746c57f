"""In what Samara and the network server differ, and how either takes over what the other says."""

from datetime import datetime
from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field

from api import tenancy
from api.access import HEALTH, INSTALL, require
from api.context import reader
from api.endpoint import get, post
from api.models import Answer
from api.parameters import Asked, DevEui, OfTenant
from domain.errors import NotFoundError
from domain.provisioning import Compared, Difference, There, Wanted, compared
from store.provisioning import devices, servers

PATH: Final = "/api/v1/network-devices"
ADOPTIONS: Final = "/api/v1/network-adoptions"
MOST: Final = 2000  # devices a request


class Side(Answer):
    """A device on one side. `profile` is the network server's word; null: it is not known."""

    name: str
    profile: str | None
    join_eui: str | None


class DifferingDevice(Answer):
    """A device in which the sides differ: `absent` there, `unknown` here, or another name, profile or JoinEUI."""

    dev_eui: str
    differs: list[Difference]
    here: Side | None
    there: Side | None


class NetworkDevices(Answer):
    """How a tenant's devices and its network server's compare, as that was last read.

    `same`: how many are on both sides and alike. `trouble`: why it cannot be spoken to, '' when it can.
    """

    kind: str
    listed_at: Annotated[datetime | None, Field(description="when it was last read; null: it was not yet")]
    trouble: str
    same: int
    differing: list[DifferingDevice]


class Adoption(Asked):
    """Devices of which Samara takes over what the network server says."""

    devices: Annotated[tuple[DevEui, ...], Field(min_length=1, max_length=MOST)]


class Adopted(Answer):
    """How many are new in Samara, and how many were changed."""

    declared: int
    changed: int


@require(HEALTH)
async def get_network_devices(request: web.Request, query: OfTenant) -> NetworkDevices:
    """Tell in what the two sides differ. What only the network server has is told to the tenant whose it is."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        serving = await servers.serving(connection, tenant.tenant_id)
        if serving is None:
            raise NotFoundError
        own = await devices.sides(connection, tenant.tenant_id)
        others = await devices.strangers(connection, tenant.tenant_id)
    found = compared([one.here for one in own], [*(one.there for one in own if one.there), *others])
    return NetworkDevices(
        kind=serving.kind,
        listed_at=serving.listed_at,
        trouble=serving.trouble,
        same=len(own) - sum(one.here is not None for one in found),
        differing=[_told(one) for one in found],
    )


def _told(found: Compared) -> DifferingDevice:
    return DifferingDevice(
        dev_eui=found.dev_eui, differs=list(found.differs), here=_side(found.here), there=_side(found.there)
    )  # fmt: skip


def _side(one: Wanted | There | None) -> Side | None:
    if one is None:
        return None
    return Side(name=one.name, profile=one.profile or None, join_eui=one.join_eui or None)


@require(INSTALL)
async def create_network_adoption(request: web.Request, connection: asyncpg.Connection, body: Adoption) -> Adopted:
    """Take over in Samara what the network server says of devices: new ones are declared, others changed."""
    tenant = await tenancy.tenant_of(request, connection)
    declared, changed = await devices.adopt(connection, tenant.tenant_id, body.devices)
    return Adopted(declared=declared, changed=changed)


ROUTES: Final = (
    get(PATH, get_network_devices),
    post(ADOPTIONS, create_network_adoption, query=OfTenant),
)
