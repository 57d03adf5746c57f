"""The pages of a sensor that was put in place: its position and photos, the wait for its first frame, its record."""

from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
from aiohttp import hdrs, web

from api import problems, security
from api.access import HEALTH, INSTALL, account_of, refuse_cross_site, require
from api.bodies import read_bytes
from api.commissioning import progress_of
from api.context import CLOCK, reader, writer
from api.pages import pose_serveur, pose_view, rendering, words
from api.pages.forms import form
from api.pages.pose_lieu import degrees
from api.pages.rendering import Crumb
from api.parameters import Asked, DevEui, Slug, of_path
from api.problems import ProblemError
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store import commissioning
from store.access import audit
from store.assignments import AssignmentError
from store.commissioning import Act
from store.installing import RefusedError
from store.reading import installations
from store.reading.installations import Installation
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/mises-en-service/{dev_eui}"
PHOTOS: Final = PATH + "/photos"
PHOTO: Final = PHOTOS + r"/{at:\d{1,17}}"
REMOVAL: Final = PATH + "/retrait"
_MAX_NOTE: Final = 2000
_JPEG: Final = b"\xff\xd8\xff"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class DevicePath(Asked):
    """One device of a tenant."""

    slug: Slug
    dev_eui: DevEui


class PhotoPath(DevicePath):
    """One photo: when it was taken, microseconds since 1970."""

    at: int


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer how far the sensor is, or the form of its position (`etape=position`)."""
    query = rendering.query(request, "etape", "lat", "lon")
    step = query.choice("etape", ("attente", "position"), "attente")
    given = {name: query.text(name, "degrees", default="") for name in ("lat", "lon")}
    dev_eui, now, texts = of_path(request, DevicePath).dev_eui, request.app[CLOCK](), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        done = await installations.last_of(connection, tenant.tenant_id, dev_eui)
        found = await progress_of(connection, tenant.tenant_id, done, now)
        registration = await pose_serveur.registration(connection, tenant, dev_eui, texts)
    here = rendering.tenant_address(tenant, "mises-en-service", dev_eui)
    common = {
        "here_address": here,
        "dev_eui": pose_view.eui(dev_eui),
        "registration": registration,
        "place": f"{done.point}, {done.site}" if done.point else texts("pose.stock"),
        "photos": [f"{here}/photos/{(at - _EPOCH) // _MICROSECOND}" for at in done.photos],
    }
    if step == "position":
        given = {name: given[name] or _degrees_of(done, name) for name in given}
        return _page(
            request, tenant, "pose_position.html", "position", **common, given=given, note=done.note,
            photo_texts=rendering.island(texts.subset("photo.")),
        )  # fmt: skip
    zone, account = words.zone_of(tenant), account_of(request)
    is_in_stock = done.act == "removed"
    told = pose_view.told(found, done, now, zone, texts)
    by = (account.name or account.email) if account.account_id == done.account_id else ""
    return _page(
        request, tenant, "pose_suite.html", "quality" if told.is_heard else "wait", **common, told=told,
        is_in_stock=is_in_stock, record=pose_view.record(done, by, zone, texts), now=now.isoformat(),
        printed=words.moment(now, zone, "minute", texts),
        wait_texts=rendering.island(texts.subset("wait.")),
    )  # fmt: skip


def _degrees_of(done: Installation, name: str) -> str:
    value = done.latitude_deg if name == "lat" else done.longitude_deg
    return "" if value is None else f"{value:.5f}"


def _page(request: web.Request, tenant: Tenant, template: str, step: str, **values: object) -> web.Response:
    texts = rendering.catalogue_of(request)
    answer = rendering.html(
        request,
        template,
        tenant=tenant,
        here="poser",
        crumbs=[Crumb(texts("nav.poses"), "/mes-poses")],
        steps=pose_view.steps(step, texts),
        **values,  # type: ignore[arg-type] # what the template names
    )
    security.let_place(answer)
    return answer


@require(INSTALL)
async def locate(request: web.Request) -> web.Response:
    """Keep the position and the remark; on to the wait."""
    given = await form(request, "lat", "lon", "note")
    latitude, longitude = degrees(given["lat"], 90), degrees(given["lon"], 180)
    if latitude is None or longitude is None:
        latitude = longitude = None
    note = "".join(one for one in given["note"] if one.isprintable() or one == "\n").strip()[:_MAX_NOTE]
    dev_eui = of_path(request, DevicePath).dev_eui
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await commissioning.note(
            connection, tenant.tenant_id, dev_eui, latitude_deg=latitude, longitude_deg=longitude, text=note
        )
        await _noted(connection, "device.located", tenant, dev_eui)
    here = rendering.tenant_address(tenant, "mises-en-service", dev_eui)
    if (given["lat"] or given["lon"]) and latitude is None:
        return rendering.onward(f"{here}?etape=position", done="no_position")
    return rendering.onward(here)


async def _noted(connection: asyncpg.Connection, action: str, tenant: Tenant, dev_eui: str) -> None:
    await audit.append_own(connection, action, tenant_id=tenant.tenant_id, subject=dev_eui)


@require(INSTALL)
async def keep_photo(request: web.Request) -> web.Response:
    """Keep a picture, which the page made small: a JPEG of 1 MB at most."""
    refuse_cross_site(request)
    content = await read_bytes(request)
    if not content.startswith(_JPEG):
        raise ProblemError(problems.UNSUPPORTED_MEDIA, "Send a JPEG.")
    dev_eui = of_path(request, DevicePath).dev_eui
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await commissioning.keep_photo(connection, tenant.tenant_id, dev_eui, request.app[CLOCK](), content)
        await _noted(connection, "device.photographed", tenant, dev_eui)
    return web.Response(status=web.HTTPNoContent.status_code)


@require(HEALTH)
async def photo(request: web.Request) -> web.Response:
    """Answer a picture."""
    path = of_path(request, PhotoPath)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        try:
            taken_at = _EPOCH + path.at * _MICROSECOND
        except OverflowError:
            raise NotFoundError from None
        content = await installations.photo(connection, tenant.tenant_id, path.dev_eui, taken_at)
    headers = {hdrs.CACHE_CONTROL: "private, max-age=86400, immutable"}
    return web.Response(body=content, content_type="image/jpeg", headers=headers)


@require(INSTALL)
async def remove(request: web.Request) -> web.Response:
    """Take the sensor away, into stock."""
    given, dev_eui = await form(request, "note", "former_index", "deprovision"), of_path(request, DevicePath).dev_eui
    index = degrees("".join(given["former_index"].split()), 1e15)
    note = "".join(one for one in given["note"] if one.isprintable()).strip()[:_MAX_NOTE]
    act = Act(request.app[CLOCK](), account_of(request).account_id, note, former_index=index)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        here = rendering.tenant_address(tenant, "mises-en-service", dev_eui)
        try:
            await commissioning.take_away(connection, tenant.tenant_id, dev_eui, act)
        except (RefusedError, AssignmentError):
            return rendering.onward(here, done="in_stock_already")
        await _noted(connection, "device.removed", tenant, dev_eui)
        if given["deprovision"] == "1":
            await pose_serveur.take_away(request, connection, tenant, dev_eui)
    return rendering.onward(here, done="in_stock")


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PATH, locate),
    web.post(PHOTOS, keep_photo),
    web.get(PHOTO, photo),
    web.post(REMOVAL, remove),
)
