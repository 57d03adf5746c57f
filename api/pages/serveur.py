"""A tenant's network server, /t/<slug>/serveur-reseau: which one, its token, its profiles, whether it answers."""

from typing import Final

import asyncpg
from aiohttp import web
from pydantic import ValidationError

from api.access import ADMINISTER, require
from api.context import CLOCK, reader, writer
from api.pages import orders_view, rendering, words
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.provisioning import order
from api.signing import KEYRING
from api.tenancy import tenant_of
from api.v1.network_server import NewNetworkServer
from domain.errors import NotFoundError
from store.access import audit
from store.installing import RefusedError
from store.provisioning import following, servers
from store.provisioning.servers import Server
from store.reading import installations
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/serveur-reseau"
TEST: Final = PATH + "/essai"
FORGET: Final = PATH + "/oubli"
KINDS: Final = ("chirpstack", "thethingsstack")
_BLANK: Final = 3  # rows for profiles, beyond what is there
_MOST: Final = 80  # rows for profiles: a form has 200 fields
_FIELDS: Final = ("kind", "address", "application", "token")
_PROFILES: Final = tuple(f"{name}_{place}" for place in range(_MOST) for name in ("model", "profile"))


@require(ADMINISTER)
async def show(request: web.Request) -> web.Response:
    """Answer the network server that a tenant has, how it was last read, and the form that says another."""
    rendering.query(request)
    return await _page(request, {})


async def _page(request: web.Request, given: dict[str, str], wrong: str = "") -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        used = await servers.models_used(connection)
        models = await installations.models(connection)
        tenant = await tenant_of(request, connection)
        own = await _own(connection, tenant)
        serving = await servers.serving(connection, tenant.tenant_id)
        tests = await following.last(connection, tenant.tenant_id, 1, act="list") if own else []
    zone = words.zone_of(tenant)
    profiles = _given_profiles(given) if given else dict(own.profiles) if own else {}
    return rendering.html(
        request,
        "serveur.html",
        status=422 if wrong else 200,
        tenant=tenant,
        here="ordres",
        crumbs=[Crumb(texts("nav.ordres"), rendering.tenant_address(tenant, "serveur-reseau", "ordres"))],
        here_address=rendering.tenant_address(tenant, "serveur-reseau"),
        may_administer=True,
        own=own,
        facts=_facts(own, tenant, texts) if own else [],
        inherited=serving is not None and own is None,
        test=orders_view.told(tests[0], zone, texts) if tests else None,
        wrong=wrong,
        given={"kind": own.kind, "address": own.address, "application": own.application} | given
        if own
        else {"kind": KINDS[0], "address": "", "application": ""} | given,
        kinds=[(kind, texts(f"serveur.kind.{kind}")) for kind in KINDS],
        models=[("", texts("serveur.no_model")), *models],
        profiles=_rows(profiles, [] if given else used),
    )


async def _own(connection: asyncpg.Connection, tenant: Tenant) -> Server | None:
    try:
        return await servers.server(connection, tenant.tenant_id)
    except NotFoundError:
        return None


def _facts(own: Server, tenant: Tenant, texts: Texts) -> list[tuple[str, str]]:
    zone = words.zone_of(tenant)
    listed = words.moment(own.listed_at, zone, "minute", texts) if own.listed_at else texts("serveur.never")
    return [
        (texts("serveur.kind"), texts(f"serveur.kind.{own.kind}")),
        (texts("serveur.address"), own.address),
        (texts("serveur.application"), own.application),
        (texts("serveur.changed"), words.moment(own.changed_at, zone, "minute", texts)),
        (texts("serveur.listed"), listed),
        (texts("serveur.trouble"), orders_view.reason(own.trouble, texts) if own.trouble else texts("serveur.fine")),
    ]


def _rows(profiles: dict[str, str], used: list[str]) -> list[tuple[str, str, str]]:
    """Return the rows for profiles: number, model, profile. Models in use that have none come after those that have."""
    found = [*profiles.items(), *((model, "") for model in used if model not in profiles), *[("", "")] * _BLANK]
    return [(str(place), model, profile) for place, (model, profile) in enumerate(found[:_MOST])]


def _given_profiles(given: dict[str, str]) -> dict[str, str]:
    rows = [(given[f"model_{place}"], given[f"profile_{place}"].strip()) for place in range(_MOST)]
    return {model: profile for model, profile in rows if model and profile}


@require(ADMINISTER)
async def save(request: web.Request) -> web.Response:
    """Keep which network server it is. The token is written and never shown: left empty, the one there stays."""
    given, texts = await form(request, *_FIELDS, *_PROFILES), rendering.catalogue_of(request)
    token = given.pop("token").strip()
    said = {name: given[name].strip() for name in ("kind", "address", "application")}
    profiles = [{"model_id": model, "profile": profile} for model, profile in _given_profiles(given).items()]
    try:
        wanted = NewNetworkServer.model_validate(
            said | {"address": said["address"].rstrip("/"), "token": token or None, "profiles": profiles}, strict=False
        )
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        return await _page(request, given, texts(f"serveur.wrong.{field}"))
    try:
        async with writer(request) as connection:
            tenant = await tenant_of(request, connection)
            await servers.set_server(
                connection, request.app[KEYRING], tenant.tenant_id, kind=wanted.kind, address=wanted.address,
                application=wanted.application, token=wanted.token, now=request.app[CLOCK](),
                profiles={one.model_id: one.profile for one in wanted.profiles},
            )  # fmt: skip
            detail = {"kind": wanted.kind, "address": wanted.address, "application": wanted.application}
            await audit.append_own(
                connection, "network_server.set", tenant_id=tenant.tenant_id, subject=tenant.slug, detail=detail
            )
            await order(request, connection, tenant.tenant_id, "list", [None])
    except RefusedError:
        return await _page(request, given, texts("serveur.wrong.token_needed"))
    return rendering.onward(rendering.tenant_address(tenant, "serveur-reseau") + "#essai", done="saved")


@require(ADMINISTER)
async def test(request: web.Request) -> web.Response:
    """Have what the network server has read again: it says whether it can be spoken to."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await servers.server(connection, tenant.tenant_id)
        await order(request, connection, tenant.tenant_id, "list", [None])
        await audit.append_own(connection, "network_server.tested", tenant_id=tenant.tenant_id, subject=tenant.slug)
    return rendering.onward(rendering.tenant_address(tenant, "serveur-reseau") + "#essai")


@require(ADMINISTER)
async def forget(request: web.Request) -> web.Response:
    """Forget the network server and its token. The devices stay registered there."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await servers.remove_server(connection, tenant.tenant_id)
        await audit.append_own(connection, "network_server.removed", tenant_id=tenant.tenant_id, subject=tenant.slug)
    return rendering.onward(rendering.tenant_address(tenant, "serveur-reseau"), done="removed")


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PATH, save),
    web.post(TEST, test),
    web.post(FORGET, forget),
)
