"""What a point is, /t/<slug>/points/<id>/compteur: its name, what it is metered for, behind which other meter it is."""

from typing import Final, get_args

import asyncpg
from aiohttp import web

from api.access import INSTALL, require
from api.context import reader, writer
from api.pages import rendering
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.places import Places, places_of
from api.query import MAX_ID, path_id
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from domain.uses import USES, Use
from store import installing, parts
from store.access import audit
from store.installing import RefusedError
from store.parts import PartError
from store.reading.territory import Point, Tenant

PATH: Final = r"/t/{slug}/points/{id:\d+}/compteur"
_FIELDS: Final = ("name", "use", "part_of")
_MAX_NAME: Final = 200


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer the form."""
    rendering.query(request)
    return await _page(request, {}, {})


async def _page(request: web.Request, given: dict[str, str], errors: dict[str, str]) -> web.Response:
    point_id, texts = path_id(request), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        places = await places_of(connection, tenant.tenant_id)
        point = next((one for one in places.points if one.point_id == point_id), None)
        if point is None:
            raise NotFoundError
        wholes = await parts.wholes(connection, tenant.tenant_id, point_id)
    said = {"name": point.name, "use": point.use or "", "part_of": str(point.part_of or "")} | given
    address = rendering.tenant_address(tenant, "points", point_id)
    behind = [places.names[one.point_id] for one in places.points if one.part_of == point_id]
    return rendering.html(
        request,
        "compteur.html",
        status=422 if errors else 200,
        tenant=tenant,
        here="sites",
        crumbs=_crumbs(tenant, places, point, texts),
        point=point,
        given=said,
        errors=errors,
        uses=[("", texts("compteur.use.none")), *((name, texts(f"breakdown.use.{name}")) for name in USES)],
        wholes=[("", texts("compteur.part_of.none")), *_named({*wholes, point.part_of}, places)],
        behind=behind,
        back=address,
    )


def _crumbs(tenant: Tenant, places: Places, point: Point, texts: Texts) -> list[Crumb]:
    site = next(one for one in places.sites if one.site_id == point.site_id)
    address = rendering.tenant_address(tenant)
    return [
        Crumb(texts("nav.sites"), f"{address}/sites"),
        Crumb(site.name, f"{address}/sites/{site.site_id}"),
        Crumb(point.name, f"{address}/points/{point.point_id}"),
    ]


def _named(point_ids: set[int | None], places: Places) -> list[tuple[str, str]]:
    found = [(str(point_id), name) for point_id, name in places.names.items() if point_id in point_ids]
    return sorted(found, key=lambda one: one[1])


@require(INSTALL)
async def save(request: web.Request) -> web.Response:
    """Keep what the form says."""
    point_id, texts = path_id(request), rendering.catalogue_of(request)
    given = await form(request, *_FIELDS)
    name = given["name"].strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        return await _page(request, given, {"name": texts("compteur.error.name")})
    try:
        async with writer(request) as connection:
            tenant = await tenant_of(request, connection)
            await _change(connection, tenant, point_id, name, given)
    except PartError as error:
        return await _page(request, given, {"part_of": texts(f"compteur.error.{error.why}")})
    except RefusedError:
        return await _page(request, given, {"name": texts("compteur.error.taken")})
    return rendering.onward(rendering.tenant_address(tenant, "points", point_id), done="saved")


async def _change(
    connection: asyncpg.Connection, tenant: Tenant, point_id: int, name: str, given: dict[str, str]
) -> None:
    said: dict[str, object] = {"name": name, "use": _use(given["use"]), "part_of": _id(given["part_of"])}
    await installing.change_point(connection, tenant.tenant_id, point_id, said)
    await audit.append_own(connection, "meter.set", tenant_id=tenant.tenant_id, subject=str(point_id), detail=said)


def _use(text: str) -> Use | None:
    return next((one for one in get_args(Use) if one == text), None)


def _id(text: str) -> int | None:
    """Return the point of a form, None for none. Raises PartError for what cannot be one."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) <= MAX_ID):
        raise PartError("absent")
    return int(text)


ROUTES: Final = (web.get(PATH, show), web.post(PATH, save))
