"""A sensor that is put in service, on the network server: its keys go through, and what became of the order is said."""

from typing import Final, NamedTuple

import asyncpg
from aiohttp import web

from api.access import INSTALL, require
from api.context import writer
from api.pages import orders_view, rendering, words
from api.pages.forms import form
from api.pages.orders_view import Told
from api.pages.texts import Texts
from api.parameters import Asked, DevEui, Slug, of_path
from api.provisioning import Registered, Wish, order, registered, want
from api.tenancy import tenant_of
from store import installing
from store.access import audit
from store.provisioning import devices, following, servers
from store.reading import installations
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/mises-en-service/{dev_eui}/serveur-reseau"
KEYS: Final = ("join_eui", "app_key", "nwk_key", "keep_keys")
FIELDS: Final = ("register", *KEYS)


class DevicePath(Asked):
    """One device of a tenant."""

    slug: Slug
    dev_eui: DevEui


class Registration(NamedTuple):
    """How a sensor stands with the network server. `last` None: nothing was asked of it for this sensor."""

    last: Told | None
    href: str
    asks: bool  # its page offers to register it


async def models(connection: asyncpg.Connection, tenant: Tenant, texts: Texts) -> list[tuple[str, str]]:
    """Return the models to choose from; those that cannot be registered where the tenant's devices are say so."""
    found = await installations.models(connection)
    profiled = await devices.profiled(connection, tenant.tenant_id)
    if profiled is not None:
        found = [(one, name if one in profiled else texts("pose.no_profile", model=name)) for one, name in found]
    return [("", texts("pose.model_unknown")), *found]


def said(given: dict[str, str]) -> Registered | str:
    """Return the keys of a form, or the name of the text that says what is wrong. Not asked for: there are none."""
    return registered(given) if given["register"] == "1" else Registered()


async def register(
    request: web.Request,
    connection: asyncpg.Connection,
    tenant: Tenant,
    dev_eui: str,
    keys: Registered,
    *,
    keep_keys: bool,
) -> None:
    """Want the sensor on the network server that serves the tenant, if one does."""
    if await servers.serving(connection, tenant.tenant_id) is None:
        return
    await want(request, connection, tenant.tenant_id, [Wish.of(dev_eui, keys)], keep_keys=keep_keys)
    await _noted(connection, tenant, dev_eui, "put")


async def take_away(request: web.Request, connection: asyncpg.Connection, tenant: Tenant, dev_eui: str) -> None:
    """Want the sensor no longer on the network server, where one serves the tenant."""
    if await servers.serving(connection, tenant.tenant_id) is not None:
        await order(request, connection, tenant.tenant_id, "delete", [dev_eui])
        await _noted(connection, tenant, dev_eui, "delete")


async def _noted(connection: asyncpg.Connection, tenant: Tenant, dev_eui: str, act: str) -> None:
    await audit.append_own(
        connection, "network_order.asked", tenant_id=tenant.tenant_id, subject=dev_eui, detail={"act": act}
    )


async def registration(
    connection: asyncpg.Connection, tenant: Tenant, dev_eui: str, texts: Texts
) -> Registration | None:
    """Return how a sensor stands with the network server; None where none serves the tenant."""
    if await servers.serving(connection, tenant.tenant_id) is None:
        return None
    found = await following.last(connection, tenant.tenant_id, 1, dev_eui=dev_eui)
    last = orders_view.told(found[0], words.zone_of(tenant), texts) if found else None
    href = rendering.tenant_address(tenant, "serveur-reseau", "ordres", found[0].order_id) if found else ""
    return Registration(last, href, asks=last is None or not last.waits)


@require(INSTALL)
async def ask(request: web.Request) -> web.Response:
    """Want a sensor on the network server, with keys if some are given; back to its page."""
    given = await form(request, *KEYS)
    keys = registered(given)
    dev_eui = of_path(request, DevicePath).dev_eui
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        here = rendering.tenant_address(tenant, "mises-en-service", dev_eui)
        await installing.device(connection, tenant.tenant_id, dev_eui)
        if isinstance(keys, str):
            return rendering.onward(f"{here}#serveur-reseau", done=keys.rpartition(".")[2] + "_refused")
        await register(request, connection, tenant, dev_eui, keys, keep_keys=given["keep_keys"] == "1")
    return rendering.onward(here, done="order_asked")


ROUTES: Final = (web.post(PATH, ask),)
