"""Which network server and application a tenant's devices go to."""

from datetime import datetime
from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from api import tenancy
from api.access import ADMINISTER, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.models import Answer
from api.parameters import Asked, ModelId, OfTenant
from api.signing import KEYRING
from store.provisioning import servers

PATH: Final = "/api/v1/network-server"
_MOST: Final = 500

Kind = Annotated[
    str,
    StringConstraints(pattern="^[a-z]{1,40}$"),
    Field(description="chirpstack or thethingsstack"),
]
Address = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[A-Za-z0-9.\[\]:-]{1,200}$"),
    Field(description="https://host[:port]; http:// for one that the operator named alone"),
]
Application = Annotated[
    str,
    StringConstraints(pattern="^[a-z0-9-]{1,64}$"),
    Field(description="ChirpStack: the UUID of the application. The Things Stack: its id"),
]
Token = Annotated[
    str, StringConstraints(pattern="^[!-~]{8,2000}$"), Field(description="an API key. It is not told again")
]
Profile = Annotated[
    str,
    StringConstraints(pattern="^[!-~]{1,200}$"),
    Field(
        description="ChirpStack: the UUID of a device profile. The Things Stack: frequency plan, LoRaWAN version and"
        " regional parameters, EU_863_870_TTN/MAC_V1_0_3/PHY_V1_0_3_REV_A"
    ),
]


class ModelProfile(Asked):
    """What a model is on the network server."""

    model_id: ModelId
    profile: Profile


class NewNetworkServer(Asked):
    """A network server and an application of it. Another address or application needs its token."""

    kind: Kind
    address: Address
    application: Application
    token: Token | None = None
    profiles: Annotated[tuple[ModelProfile, ...], Field(max_length=_MOST)] = ()


class ToldProfile(Answer):
    """What a model is on the network server."""

    model_id: str
    profile: str


class NetworkServer(Answer):
    """The network server of a tenant. `trouble` says why it cannot be spoken to, '' when it can."""

    kind: Kind
    address: str
    application: str
    changed_at: datetime
    listed_at: Annotated[datetime | None, Field(description="when what it has was last read")]
    trouble: str
    profiles: list[ToldProfile]


@require(ADMINISTER)
async def get_network_server(request: web.Request, query: OfTenant) -> NetworkServer:
    """Tell the network server that a tenant has of its own; 404: it has none, and one above it may serve it."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _told(await servers.server(connection, tenant.tenant_id))


def _told(found: servers.Server) -> NetworkServer:
    profiles = [ToldProfile(model_id=model, profile=profile) for model, profile in found.profiles.items()]
    return NetworkServer.model_validate(found._asdict() | {"profiles": profiles})


async def _held_server(request: web.Request, connection: asyncpg.Connection, path: None = None) -> NetworkServer:
    del path
    tenant = await tenancy.tenant_of(request, connection)
    return _told(await servers.server(connection, tenant.tenant_id, held=True))


@require(ADMINISTER)
async def set_network_server(
    request: web.Request, connection: asyncpg.Connection, body: NewNetworkServer
) -> NetworkServer:
    """Say which network server a tenant's devices go to, and those of tenants below that have none."""
    tenant = await tenancy.tenant_of(request, connection)
    await servers.set_server(
        connection,
        request.app[KEYRING],
        tenant.tenant_id,
        kind=body.kind,
        address=body.address.rstrip("/"),
        application=body.application,
        profiles={one.model_id: one.profile for one in body.profiles},
        token=body.token,
        now=request.app[CLOCK](),
    )
    return _told(await servers.server(connection, tenant.tenant_id))


@require(ADMINISTER)
async def delete_network_server(request: web.Request, connection: asyncpg.Connection) -> None:
    """Forget a tenant's network server and its token. The devices stay registered there."""
    tenant = await tenancy.tenant_of(request, connection)
    await servers.remove_server(connection, tenant.tenant_id)


ROUTES: Final = (
    get(PATH, get_network_server),
    post(PATH, set_network_server, query=OfTenant),
    delete(PATH, delete_network_server, query=OfTenant, held=_held_server),
)
