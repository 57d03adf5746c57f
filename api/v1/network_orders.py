"""What is wanted of a network server, and how far it is."""

from datetime import datetime
from typing import Annotated, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field

from api import models, pagination, provisioning, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import reader
from api.endpoint import get, post
from api.models import Answer, Resource
from api.parameters import Asked, DevEui, IdPath, OfTenant, PagedOfTenant
from api.problems import CONFLICT, ProblemError
from api.provisioning import Planned, Registered, Wish
from domain.provisioning import Step
from store.provisioning import following
from store.reading.pages import page_of

PATH: Final = "/api/v1/network-orders"
MOST: Final = 2000  # devices a request

Act = Literal["put", "delete", "list"]
State = Literal["waiting", "done", "failed", "cancelled"]


class WantedDevice(Registered):
    """One device of the tenant, or for `delete` one of its network server."""

    dev_eui: DevEui


class NewNetworkOrders(Asked):
    """`put`: the devices are to be there as they are in Samara. `delete`: not at all. `list`: what is there is read.

    `keep_keys` keeps the keys here too, sealed. `dry_run` says what would be done, and does nothing.
    """

    act: Act
    devices: Annotated[tuple[WantedDevice, ...], Field(max_length=MOST)] = ()
    keep_keys: bool = False
    dry_run: bool = False


class Ordered(Answer):
    """How many orders were written, and for a dry run what would be done."""

    orders: int
    planned: list[Planned]


class NetworkOrder(Resource):
    """One wish. `steps` were done over there; it is tried again at `due_at` while it waits; `trouble` is why.

    `name` is the device's in Samara. `brings_keys`: keys came with it. `is_last`: nothing else was wanted of the
    device since, so that it can be tried again.
    """

    id: int
    act: Act
    dev_eui: str | None
    state: State
    steps: list[Step]
    attempts: int
    trouble: str
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None
    brings_keys: bool
    name: str
    is_last: bool


class RetriedOrder(Registered):
    """Keys to be given again: those that came with an order are forgotten when it ends."""


class OrdersQuery(PagedOfTenant):
    """Of which device, and in which state."""

    dev_eui: DevEui | None = None
    state: State | None = None


@require(INSTALL)
async def create_network_orders(
    request: web.Request, connection: asyncpg.Connection, body: NewNetworkOrders
) -> Ordered:
    """Want devices on the network server as they are in Samara, or not there, or to know what is there."""
    tenant = await tenancy.tenant_of(request, connection)
    if (body.act == "list") != (not body.devices):
        raise ProblemError(CONFLICT, "`list` is of no device, and `put` and `delete` of one at least.")
    wishes = [Wish.of(one.dev_eui, one) for one in body.devices]
    if body.dry_run:
        return Ordered(orders=0, planned=await _planned(connection, tenant.tenant_id, body.act, wishes))
    if body.act == "put":
        made = await provisioning.want(request, connection, tenant.tenant_id, wishes, keep_keys=body.keep_keys)
    else:
        named = [*(one.dev_eui for one in wishes)] if wishes else [None]
        made = await provisioning.order(request, connection, tenant.tenant_id, body.act, named)
    return Ordered(orders=len(made), planned=[])


async def _planned(connection: asyncpg.Connection, tenant_id: int, act: Act, wishes: list[Wish]) -> list[Planned]:
    if act == "put":
        return await provisioning.planned(connection, tenant_id, wishes)
    return [Planned(dev_eui=one.dev_eui, steps=["deleted"], needs_profile=False) for one in wishes]


@require(HEALTH)
async def list_network_orders(request: web.Request, query: OrdersQuery) -> models.Page[NetworkOrder]:
    """List what was wanted of the network server, in that order, and how far it is."""
    asked = pagination.asked(query, "networkorders")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await following.orders(
            connection,
            tenant.tenant_id,
            dev_eui=query.dev_eui,
            state=query.state,
            after=asked.after or 0,
            limit=asked.limit + 1,
        )
    page = page_of(found, [one.order_id for one in found], asked.limit)
    return pagination.answer(models.Page[NetworkOrder], "networkorders", page, _told)


@require(HEALTH)
async def get_network_order(request: web.Request, path: IdPath) -> NetworkOrder:
    """Tell how far one order is."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _told(await following.one(connection, tenant.tenant_id, path.id))


@require(INSTALL)
async def cancel_network_order(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> NetworkOrder:
    """Take an order back while it waits; its keys are forgotten. What was done of it stays done."""
    tenant = await tenancy.tenant_of(request, connection)
    await provisioning.cancel(request, connection, tenant.tenant_id, path.id)
    return _told(await following.one(connection, tenant.tenant_id, path.id))


@require(INSTALL)
async def retry_network_order(
    request: web.Request, connection: asyncpg.Connection, path: IdPath, body: RetriedOrder
) -> NetworkOrder:
    """Try an order again now: one that waits, failed, or was taken back. Its keys may be given again."""
    tenant = await tenancy.tenant_of(request, connection)
    await provisioning.retry(request, connection, tenant.tenant_id, path.id, body)
    return _told(await following.one(connection, tenant.tenant_id, path.id))


def _told(found: following.Order) -> NetworkOrder:
    fields = found._asdict()
    return NetworkOrder(id=fields.pop("order_id"), **fields | {"steps": list(found.steps)})


ROUTES: Final = (
    get(PATH, list_network_orders),
    post(PATH, create_network_orders, query=OfTenant),
    get(f"{PATH}/{{id}}", get_network_order, query=OfTenant),
    post(f"{PATH}/{{id}}/cancellation", cancel_network_order, query=OfTenant),
    post(f"{PATH}/{{id}}/retry", retry_network_order, query=OfTenant),
)
