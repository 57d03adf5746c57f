"""What is asked of a tenant's network server, /t/<slug>/serveur-reseau/ordres: how far it is, again, taken back."""

from typing import Final

import asyncpg
from aiohttp import web

from api import provisioning
from api.access import ADMINISTER, HEALTH, INSTALL, require
from api.context import CLOCK, reader, writer
from api.pages import orders_view, rendering, words
from api.pages.forms import form
from api.pages.navigation import Entry
from api.pages.network_words import count
from api.pages.rendering import Crumb
from api.parameters import Asked, Id, Slug, of_path
from api.problems import ProblemError
from api.provisioning import registered
from api.signing import KEYRING
from api.tenancy import tenant_of
from store.access import audit
from store.access.bearer import may
from store.provisioning import following, orders, servers
from store.provisioning.following import NEWEST
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/serveur-reseau/ordres"
ONE: Final = PATH + "/{id}"
RETRY: Final = ONE + "/reprise"
CANCEL: Final = ONE + "/annulation"
RETRY_ALL: Final = PATH + "/reprise"
CANCEL_ALL: Final = PATH + "/annulation"
STATES: Final = ("waiting", "failed", "done", "cancelled")
_SHOWN: Final = 50
_AT_ONCE: Final = 2000


class OrderPath(Asked):
    """One order of a tenant."""

    slug: Slug
    id: Id


@require(HEALTH)
async def show(request: web.Request) -> web.Response:
    """Answer the orders of one state (`etat`) or all, the newest first; `avant` goes on from an order."""
    texts, query = rendering.catalogue_of(request), rendering.query(request, "etat", "avant")
    state = query.choice("etat", ("", *STATES), "")
    before = query.integer("avant", low=1, high=NEWEST) or NEWEST
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        serving = await servers.serving(connection, tenant.tenant_id)
        found = await following.last(connection, tenant.tenant_id, _SHOWN + 1, before=before, state=state or None)
        counts = await following.counts(connection, tenant.tenant_id)
        may_install = await may(connection, tenant.tenant_id, INSTALL)
        may_administer = await may(connection, tenant.tenant_id, ADMINISTER)
    labels = {"": texts("ordres.all")} | {
        one: texts(f"ordres.of.{one}", n=count(counts.get(one, 0), texts)) for one in STATES
    }
    address = rendering.tenant_address(tenant, "serveur-reseau", "ordres")
    return rendering.html(
        request,
        "ordres.html",
        tenant=tenant,
        here="ordres",
        here_address=address,
        serving=serving,
        trouble=orders_view.reason(serving.trouble, texts) if serving and serving.trouble else "",
        lines=[orders_view.told(one, words.zone_of(tenant), texts) for one in found[:_SHOWN]],
        states=[
            {"href": f"{address}?etat={value}" if value else address, "label": label, "chosen": value == state}
            for value, label in labels.items()
        ],
        state=state,
        older=f"{address}?etat={state}&avant={found[_SHOWN - 1].order_id}" if len(found) > _SHOWN else "",
        newest=address if before < NEWEST else "",
        failed=counts.get("failed", 0),
        waiting=counts.get("waiting", 0),
        may_install=may_install,
        may_administer=may_administer,
    )


@require(HEALTH)
async def show_one(request: web.Request) -> web.Response:
    """Answer one order: what was done of it, why it was refused, and the form that asks it again, with keys."""
    rendering.query(request)
    return await _one(request)


async def _one(request: web.Request, wrong: str = "") -> web.Response:
    texts, order_id = rendering.catalogue_of(request), of_path(request, OrderPath).id
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await following.one(connection, tenant.tenant_id, order_id)
        may_install = await may(connection, tenant.tenant_id, INSTALL)
    zone = words.zone_of(tenant)
    told = orders_view.told(found, zone, texts)
    facts = [
        (texts("ordres.fact.what"), told.what),
        (texts("ordres.fact.state"), told.state),
        (texts("ordres.fact.why"), told.detail),
        (texts("ordres.fact.said"), told.said),
        (texts("ordres.fact.steps"), orders_view.steps_done(found.steps, texts) if found.steps else ""),
        (texts("ordres.fact.asked"), words.moment(found.created_at, zone, "minute", texts)),
        (texts("ordres.fact.attempts"), count(found.attempts, texts)),
        (texts("ordres.fact.ended"), words.moment(found.ended_at, zone, "minute", texts) if found.ended_at else ""),
    ]
    answer = rendering.html(
        request,
        "ordre.html",
        status=422 if wrong else 200,
        tenant=tenant,
        here="ordres",
        crumbs=[Crumb(texts("nav.ordres"), rendering.tenant_address(tenant, "serveur-reseau", "ordres"))],
        here_address=rendering.tenant_address(tenant, "serveur-reseau", "ordres", order_id),
        order=told,
        facts=[(label, value) for label, value in facts if value],
        takes_keys=found.act == "put",
        may_install=may_install,
        wrong=wrong,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require(INSTALL)
async def retry(request: web.Request) -> web.Response:
    """Try an order again, with keys if some are given."""
    given, texts = await form(request, "join_eui", "app_key", "nwk_key"), rendering.catalogue_of(request)
    said = registered(given)
    if isinstance(said, str):
        return await _one(request, texts(said))
    try:
        async with writer(request) as connection:
            tenant = await tenant_of(request, connection)
            order_id = of_path(request, OrderPath).id
            await provisioning.retry(request, connection, tenant.tenant_id, order_id, said)
    except ProblemError as error:
        if "why" not in error.extensions:
            raise
        return await _one(request, texts(f"ordres.not.{error.extensions['why']}"))
    return _onward(tenant, "order_retried")


@require(INSTALL)
async def cancel(request: web.Request) -> web.Response:
    """Take an order back."""
    await form(request)
    try:
        async with writer(request) as connection:
            tenant = await tenant_of(request, connection)
            await provisioning.cancel(request, connection, tenant.tenant_id, of_path(request, OrderPath).id)
    except ProblemError as error:
        if "why" not in error.extensions:
            raise
        return await _one(request, rendering.catalogue_of(request)(f"ordres.not.{error.extensions['why']}"))
    return _onward(tenant, "order_cancelled")


@require(INSTALL)
async def retry_all(request: web.Request) -> web.Response:
    """Try again what failed, but for what needs its keys typed again."""
    await form(request)
    now, keyring = request.app[CLOCK](), request.app[KEYRING]
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await following.last(connection, tenant.tenant_id, _AT_ONCE, state="failed")
        done = [await orders.retry(connection, keyring, one.order_id, now) for one in reversed(found)]
        await _noted(connection, "network_order.retried", tenant, done.count("again"))
    return _onward(tenant, "orders_retried")


@require(INSTALL)
async def cancel_all(request: web.Request) -> web.Response:
    """Take back what waits, but for what is being carried out."""
    await form(request)
    now = request.app[CLOCK]()
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await following.last(connection, tenant.tenant_id, _AT_ONCE, state="waiting")
        done = [await orders.cancel(connection, one.order_id, now) for one in found]
        await _noted(connection, "network_order.cancelled", tenant, done.count("cancelled"))
    return _onward(tenant, "orders_cancelled")


async def _noted(connection: asyncpg.Connection, action: str, tenant: Tenant, devices: int) -> None:
    await audit.append_own(connection, action, tenant_id=tenant.tenant_id, detail={"orders": devices})


def _onward(tenant: Tenant, done: str) -> web.Response:
    return rendering.onward(rendering.tenant_address(tenant, "serveur-reseau", "ordres"), done=done)


ROUTES: Final = (
    web.get(PATH, show),
    web.post(RETRY_ALL, retry_all),
    web.post(CANCEL_ALL, cancel_all),
    web.get(ONE, show_one),
    web.post(RETRY, retry),
    web.post(CANCEL, cancel),
)
NAVIGATION: Final = (Entry("ordres", PATH, "antenna", 98, INSTALL),)
