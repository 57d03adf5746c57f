"""The page of what differs between Samara and a tenant's network server, /t/<slug>/serveur-reseau/ecarts.

Which devices, and which side is right, is chosen; what would be done is shown; then it is done. All of it at once too.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import asyncpg
from aiohttp import web

from api import provisioning
from api.access import ADMINISTER, HEALTH, INSTALL, require
from api.context import reader, writer
from api.pages import orders_view, rendering, words
from api.pages.forms import form, pairs
from api.pages.network_words import count
from api.pages.pose_view import eui
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.problems import INVALID_BODY, ProblemError
from api.provisioning import Wish
from api.tenancy import tenant_of
from domain.provisioning import Compared, There, Wanted, compared
from store.access import audit
from store.access.bearer import may
from store.provisioning import devices, servers
from store.provisioning.servers import Serving
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/serveur-reseau/ecarts"
PLAN: Final = PATH + "/plan"
APPLY: Final = PATH + "/application"
READ_AGAIN: Final = PATH + "/lecture"
_SHOWN: Final = 100
_MOST: Final = 2000  # devices at once
_ALL: Final = "all"

Right = Literal["here", "there"]


class _Found(NamedTuple):
    """How the two sides compare, as the network server was last read."""

    tenant: Tenant
    serving: Serving | None
    same: int
    differing: list[Compared]


class _Chosen(NamedTuple):
    """What a form says: which devices, which side is right, and what was seen of them, '' before anything was."""

    dev_euis: frozenset[str]
    everything: bool
    right: Right
    seen: str

    def has(self, one: Compared) -> bool:
        """Say whether a device was chosen."""
        return self.everything or one.dev_eui in self.dev_euis


async def _compare(request: web.Request, connection: asyncpg.Connection) -> _Found:
    tenant = await tenant_of(request, connection)
    serving = await servers.serving(connection, tenant.tenant_id)
    if serving is None:
        return _Found(tenant, None, 0, [])
    own = await devices.sides(connection, tenant.tenant_id)
    others = await devices.strangers(connection, tenant.tenant_id)
    found = compared([one.here for one in own], [*(one.there for one in own if one.there), *others])
    return _Found(tenant, serving, len(own) - sum(one.here is not None for one in found), found)


@require(HEALTH)
async def show(request: web.Request) -> web.Response:
    """Answer in what the two sides differ, and the choice of which is right."""
    rendering.query(request)
    return await _page(request)


async def _page(request: web.Request, wrong: str = "") -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        found = await _compare(request, connection)
        may_install = await may(connection, found.tenant.tenant_id, INSTALL)
        may_administer = await may(connection, found.tenant.tenant_id, ADMINISTER)
    serving, zone = found.serving, words.zone_of(found.tenant)
    return rendering.html(
        request,
        "ecarts.html",
        status=422 if wrong else 200,
        **_common(found.tenant, texts),
        wrong=wrong,
        serving=serving,
        listed=words.moment(serving.listed_at, zone, "minute", texts) if serving and serving.listed_at else "",
        trouble=orders_view.reason(serving.trouble, texts) if serving and serving.trouble else "",
        same=count(found.same, texts),
        differing=len(found.differing),
        rows=[_row(one, texts) for one in found.differing[:_SHOWN]],
        shown=_SHOWN,
        most=_MOST,
        may_install=may_install,
        may_administer=may_administer,
    )


def _common(tenant: Tenant, texts: Texts) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "here": "ordres",
        "crumbs": [Crumb(texts("nav.ordres"), rendering.tenant_address(tenant, "serveur-reseau", "ordres"))],
        "here_address": rendering.tenant_address(tenant, "serveur-reseau", "ecarts"),
    }


def _row(one: Compared, texts: Texts) -> dict[str, str]:
    return {
        "dev_eui": one.dev_eui,
        "name": _name(one),
        "differs": ", ".join(texts(f"ecarts.differs.{what}") for what in one.differs),
        "here": _side(one.here, one, texts),
        "there": _side(one.there, one, texts),
    }


def _name(one: Compared) -> str:
    side = one.here or one.there
    assert side is not None
    return eui(one.dev_eui) if side.name == one.dev_eui else f"{side.name} · {eui(one.dev_eui)}"


def _side(side: Wanted | There | None, one: Compared, texts: Texts) -> str:
    """Return what one side says of what differs."""
    if side is None:
        return texts("ecarts.none")
    said = {"name": side.name, "profile": side.profile, "join_eui": side.join_eui or ""}
    return ", ".join(said[what] or texts("ecarts.unsaid") for what in one.differs if what in said) or side.name


@require(INSTALL)
async def plan(request: web.Request) -> web.Response:
    """Answer what would be done for the devices that were chosen. Nothing is."""
    chosen, texts = await _chosen(request), rendering.catalogue_of(request)
    async with reader(request) as connection:
        found = await _compare(request, connection)
        wanted = [one for one in found.differing if chosen.has(one)][:_MOST]
        steps = await _planned(connection, found.tenant, wanted, chosen.right, texts)
    if not wanted:
        return await _page(request, texts("ecarts.nothing_chosen"))
    return rendering.html(
        request,
        "ecarts_plan.html",
        **_common(found.tenant, texts),
        right=chosen.right,
        everything=chosen.everything,
        dev_euis=[] if chosen.everything else [one.dev_eui for one in wanted],
        seen=_seen(wanted),
        rows=[
            [_name(one), {"status": steps[one.dev_eui][0], "text": steps[one.dev_eui][1]}] for one in wanted[:_SHOWN]
        ],
        chosen=len(wanted),
        shown=_SHOWN,
        deleted=sum(one.here is None for one in wanted) if chosen.right == "here" else 0,
    )


def _seen(wanted: Sequence[Compared]) -> str:
    """Return what stands for these devices as they differ now: another digest, and another plan was seen."""
    return hashlib.sha256(repr(wanted).encode()).hexdigest()


async def _planned(
    connection: asyncpg.Connection, tenant: Tenant, wanted: Sequence[Compared], right: Right, texts: Texts
) -> dict[str, tuple[str, str]]:
    """Return what would be done for each device: kind of status, words."""
    if right == "there":
        return {one.dev_eui: _adopted(one, texts) for one in wanted}
    wishes = [Wish(one.dev_eui, None, None) for one in wanted if one.here is not None]
    found = await provisioning.planned(connection, tenant.tenant_id, wishes)
    steps = {one.dev_eui: orders_view.steps_planned(one.steps, texts, needs_profile=one.needs_profile) for one in found}
    return steps | {
        one.dev_eui: orders_view.steps_planned(["deleted"], texts) for one in wanted if one.here is None
    }  # fmt: skip


def _adopted(one: Compared, texts: Texts) -> tuple[str, str]:
    if one.there is None:
        return "none", texts("ecarts.stays")
    if one.here is None:
        return "good", texts("ecarts.declares")
    return "good", texts("ecarts.takes_over", what=", ".join(texts(f"ecarts.differs.{what}") for what in one.differs))


@require(INSTALL)
async def apply(request: web.Request) -> web.Response:
    """Let the side that was said to be right be so: orders to the network server, or what it says taken over here.

    Where the two sides differ otherwise than the plan showed, nothing is done.
    """
    chosen = await _chosen(request)
    async with writer(request) as connection:
        found = await _compare(request, connection)
        wanted = [one for one in found.differing if chosen.has(one)][:_MOST]
        is_seen = chosen.seen == _seen(wanted)
        if is_seen:
            await _apply(request, connection, found.tenant, wanted, chosen.right)
    if not is_seen:
        return await _page(request, rendering.catalogue_of(request)("ecarts.otherwise"))
    onto, done = ("ecarts", "ecarts_adopted") if chosen.right == "there" else ("ordres", "ecarts_ordered")
    return rendering.onward(rendering.tenant_address(found.tenant, "serveur-reseau", onto), done=done)


async def _apply(
    request: web.Request, connection: asyncpg.Connection, tenant: Tenant, wanted: Sequence[Compared], right: Right
) -> None:
    if right == "there":
        dev_euis = [one.dev_eui for one in wanted if one.there is not None]
        await devices.adopt(connection, tenant.tenant_id, dev_euis)
    else:
        put = [Wish(one.dev_eui, None, None) for one in wanted if one.here is not None]
        gone = [one.dev_eui for one in wanted if one.here is None]
        if put:
            await provisioning.want(request, connection, tenant.tenant_id, put, keep_keys=False)
        await provisioning.order(request, connection, tenant.tenant_id, "delete", gone)
    action = "network_devices.adopted" if right == "there" else "network_devices.put"
    await audit.append_own(connection, action, tenant_id=tenant.tenant_id, detail={"devices": len(wanted)})


async def _chosen(request: web.Request) -> _Chosen:
    """Return what the form says. Raises ProblemError."""
    given = await pairs(request)
    right = dict(given).get("right", "")
    if not {name for name, _ in given} <= {"device", "everything", "right", "seen"} or right not in {"here", "there"}:
        raise ProblemError(INVALID_BODY)
    dev_euis = frozenset(value for name, value in given if name == "device")
    everything, seen = ("everything", _ALL) in given, dict(given).get("seen", "")
    return _Chosen(dev_euis, everything, "here" if right == "here" else "there", seen)


@require(INSTALL)
async def read_again(request: web.Request) -> web.Response:
    """Have what the network server has read again."""
    await form(request)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await provisioning.order(request, connection, tenant.tenant_id, "list", [None])
        await audit.append_own(connection, "network_server.tested", tenant_id=tenant.tenant_id, subject=tenant.slug)
    return rendering.onward(rendering.tenant_address(tenant, "serveur-reseau", "ordres"), done="ecarts_reading")


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PLAN, plan),
    web.post(APPLY, apply),
    web.post(READ_AGAIN, read_again),
)
