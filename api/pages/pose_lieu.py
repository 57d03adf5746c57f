"""The page on which a technician says where a sensor goes: whose, which place, which point."""

import math
from functools import partial
from typing import Final, NamedTuple

import asyncpg
from aiohttp import hdrs, web

from api import security
from api.access import INSTALL, account_of, require
from api.context import CLOCK, reader, writer
from api.pages import pose_serveur, pose_view, rendering
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.pagination import everything
from api.parameters import Asked, DevEui, of_path
from api.query import MAX_ID
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store import commissioning, installing
from store.access import audit
from store.access.supervision import tell
from store.assignments import AssignmentError
from store.commissioning import Act, ElsewhereError, OccupiedError, Place
from store.installing import RefusedError
from store.provisioning import servers
from store.reading import installations, territory
from store.reading.territory import Tenant

PATH: Final = r"/mettre-en-service/{dev_eui:[0-9a-f]{16}}"
NEW: Final = "nouveau"
_MAX_NAME: Final = 200
_KINDS: Final = ("school", "town_hall", "hall", "gym", "pumping_station", "reservoir", "street", "other")
_FIELDS: Final = (
    "site_name",
    "site_kind",
    "point",
    "point_name",
    "model_id",
    "name",
    "former_index",
    "new_index",
    "moves",
    *pose_serveur.FIELDS,
)


class EuiPath(Asked):
    """One device."""

    dev_eui: DevEui


class _Where(NamedTuple):
    """What the address says: a tenant's slug, a site's id or `nouveau`, where the phone is."""

    slug: str
    site: str
    latitude_deg: float | None
    longitude_deg: float | None
    sought: str
    kept: dict[str, str]


def _where(request: web.Request) -> _Where:
    names = ("tenant", "site", "lat", "lon", "q", "join")
    query = rendering.query(request, *names)
    given = {name: query.text(name, "a text") if request.query.get(name) else "" for name in names}  # empty: not said
    latitude, longitude = degrees(given["lat"], 90), degrees(given["lon"], 180)
    kept = {name: value for name, value in given.items() if value and name != "q"}
    return _Where(given["tenant"], given["site"], latitude, longitude, given["q"].strip(), kept)


def degrees(text: str, limit: float) -> float | None:
    """Return degrees as a phone or a person writes them; None for anything else."""
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= limit else None


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer what to choose next: a tenant, one of its sites, a point of it."""
    dev_eui, where = of_path(request, EuiPath).dev_eui, _where(request)
    if where.slug:
        return await _show_tenant(request, dev_eui, where)
    async with reader(request) as connection:
        grounds = await installations.grounds(connection, where.sought)
        near = []
        if where.latitude_deg is not None and where.longitude_deg is not None:
            near = await installations.near(connection, where.latitude_deg, where.longitude_deg)
    if len(grounds) == 1 and not near:
        return rendering.onward(pose_view.address(where.kept, tenant=grounds[0].slug))
    texts = rendering.catalogue_of(request)
    choices = [
        pose_view.Choice(
            pose_view.address(where.kept, tenant=one.slug),
            one.name,
            " · ".join(filter(None, (texts(f"kind.{one.kind}"), one.insee or ""))),
        )
        for one in grounds
    ]
    return _page(
        request, dev_eui, "pose_commune.html", choices=choices, sought=where.sought, kept=where.kept,
        near=pose_view.near_choices(near, where.kept, texts), is_placed=where.latitude_deg is not None,
    )  # fmt: skip


async def _show_tenant(request: web.Request, dev_eui: str, where: _Where) -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await _tenant(request, connection)
        if where.site:
            return await _show_form(request, connection, tenant, {})
        sites = await everything(partial(territory.sites, connection, tenant.tenant_id))
        near = []
        if where.latitude_deg is not None and where.longitude_deg is not None:
            near = await installations.near(connection, where.latitude_deg, where.longitude_deg)
    return _page(
        request, dev_eui, "pose_site.html", tenant=tenant, choices=pose_view.site_choices(sites, where.kept, texts),
        near=pose_view.near_choices(near, where.kept, texts), new=pose_view.address(where.kept, site=NEW),
        is_placed=where.latitude_deg is not None,
    )  # fmt: skip


async def _tenant(request: web.Request, connection: asyncpg.Connection) -> Tenant:
    return await tenant_of(request, connection)


async def _show_form(
    request: web.Request,
    connection: asyncpg.Connection,
    tenant: Tenant,
    given: dict[str, str],
    wrong: str = "",
) -> web.Response:
    texts, dev_eui, where = rendering.catalogue_of(request), of_path(request, EuiPath).dev_eui, _where(request)
    site_id = _number(where.site)
    site_name, points = "", []
    if site_id is not None:
        site_name = (await installing.site(connection, tenant.tenant_id, site_id))["name"]
        points = await everything(partial(territory.points, connection, tenant.tenant_id, site_id))
    elif where.site != NEW:
        raise NotFoundError
    known = await _known(connection, tenant, dev_eui)
    models = await pose_serveur.models(connection, tenant, texts)
    is_served = await servers.serving(connection, tenant.tenant_id) is not None
    measured = await installing.assignments(connection, tenant.tenant_id, dev_eui=dev_eui, point_id=None)
    answer = _page(
        request, dev_eui, "pose_lieu.html", status=422 if wrong else 200, tenant=tenant, wrong=wrong,
        is_served=is_served, register=not given or given["register"] == "1", keep_keys=given.get("keep_keys") == "1",
        join_eui=given.get("join_eui") or where.kept.get("join", "").upper(),
        site_name=site_name, is_new=where.site == NEW, points=pose_view.point_choices(points, texts),
        kinds=[(kind, texts(f"pose.kind.{kind}")) for kind in _KINDS], models=models,
        is_elsewhere=any(one.ended_at is None for one in measured),
        given=dict.fromkeys(_FIELDS, "") | {"model_id": known["model_id"] or "", "name": known["name"]} | given,
        action=pose_view.address(where.kept),
    )  # fmt: skip
    answer.headers[hdrs.CACHE_CONTROL] = "no-store"  # keys are typed here: nothing of the form is kept
    return answer


async def _known(connection: asyncpg.Connection, tenant: Tenant, dev_eui: str) -> dict[str, str]:
    try:
        return await installing.device(connection, tenant.tenant_id, dev_eui)
    except NotFoundError:
        return {"model_id": "", "name": ""}


def _page(request: web.Request, dev_eui: str, template: str, **values: object) -> web.Response:
    texts = rendering.catalogue_of(request)
    status = values.pop("status", 200)
    tenant = values.pop("tenant", None)
    assert isinstance(status, int)
    assert tenant is None or isinstance(tenant, Tenant)
    answer = rendering.html(
        request,
        template,
        status=status,
        tenant=tenant,
        here="poser",
        crumbs=[Crumb(texts("nav.poser"), "/mettre-en-service")],
        steps=pose_view.steps("attach", texts),
        dev_eui=pose_view.eui(dev_eui),
        **values,
    )
    security.let_place(answer)
    return answer


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:11]) <= MAX_ID else None


@require(INSTALL)
async def attach(request: web.Request) -> web.Response:
    """Declare the sensor and let it measure the point; on to its position."""
    dev_eui, where = of_path(request, EuiPath).dev_eui, _where(request)
    given, texts = await form(request, *_FIELDS), rendering.catalogue_of(request)
    wrong, elsewhere = "", None
    said = pose_serveur.said(given)
    if isinstance(said, str):
        async with reader(request) as connection:
            return await _show_form(request, connection, await _tenant(request, connection), given, texts(said))
    try:
        async with writer(request) as connection:
            tenant = await _tenant(request, connection)
            place = _place(where, given)
            if place is None:
                wrong = texts("pose.wrong.place")
            else:
                done = await commissioning.put_in_service(
                    connection, tenant.tenant_id, dev_eui, place, _act(request, given)
                )
                detail = {"point": done.point_id, "act": done.act}
                await audit.append_own(
                    connection, "device.installed", tenant_id=tenant.tenant_id, subject=dev_eui, detail=detail
                )
                if given["register"] == "1":
                    keep_keys = given["keep_keys"] == "1"
                    await pose_serveur.register(request, connection, tenant, dev_eui, said, keep_keys=keep_keys)
                onward = rendering.tenant_address(tenant, "mises-en-service", dev_eui)
                query = {name: value for name, value in where.kept.items() if name in {"lat", "lon"}}
                return rendering.onward(onward + pose_view.address({"etape": "position"} | query))
    except (RefusedError, AssignmentError) as error:
        wrong, elsewhere = _complaint(error, texts), getattr(error, "elsewhere", None)
    if elsewhere is not None:
        async with writer(request) as connection:
            await tell(connection, "dev_eui_elsewhere", **elsewhere._asdict())
    async with reader(request) as connection:
        tenant = await _tenant(request, connection)
        return await _show_form(request, connection, tenant, given, wrong)


def _place(where: _Where, given: dict[str, str]) -> Place | None:
    """Return where the sensor goes; None when the form does not say it."""
    point_id, point_name, site_name = _number(given["point"]), _name(given["point_name"]), _name(given["site_name"])
    site_id = _number(where.site)
    if point_id is None and (not point_name or (site_id is None and not site_name)):
        return None
    kind = given["site_kind"] if given["site_kind"] in _KINDS else "other"
    return Place(
        site_id, site_name, kind, point_id, point_name, given["model_id"] or None, _name(given["name"]),
        where.latitude_deg if site_id is None else None, where.longitude_deg if site_id is None else None,
    )  # fmt: skip


def _act(request: web.Request, given: dict[str, str]) -> Act:
    """Return the act: a point that another sensor measures was chosen as such, so it is replaced."""
    return Act(
        request.app[CLOCK](), account_of(request).account_id, replaces=given["point"] != "",
        moves=given["moves"] == "1", former_index=_index(given["former_index"]), new_index=_index(given["new_index"]),
    )  # fmt: skip


def _index(text: str) -> float | None:
    return degrees("".join(text.split()), 1e15)


def _name(text: str) -> str:
    return "".join(one for one in text if one.isprintable()).strip()[:_MAX_NAME]


def _complaint(error: Exception, texts: Texts) -> str:
    if isinstance(error, OccupiedError):
        return texts("pose.wrong.occupied", dev_eui=pose_view.eui(error.dev_eui))
    if isinstance(error, ElsewhereError):
        return texts("pose.wrong.elsewhere", point=error.point_name, site=error.site_name)
    if isinstance(error, AssignmentError):
        return texts("pose.wrong.later")
    return texts("pose.wrong.refused")


ROUTES: Final = (web.get(PATH, show), web.post(PATH, attach))
