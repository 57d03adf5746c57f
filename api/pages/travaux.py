"""The page of works, /t/<slug>/travaux: where something is worked on, so that nobody is woken by what it sets off."""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader, writer
from api.pages import rendering, words
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.pagination import everything
from api.parameters import Asked, Id, of_path
from api.query import MAX_ID
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store.access import audit
from store.access.bearer import may
from store.alerting.subjects import runs_network
from store.delivery import works
from store.delivery.works import Works
from store.reading import network, territory
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/travaux"
END: Final = PATH + r"/{id:\d+}/fin"
_MAX_REASON: Final = 500
_PLACES: Final = ("site_id", "point_id", "gateway_id")


class WorksPath(Asked):
    """Works of a tenant, by their number."""

    slug: str
    id: Id


class Line(NamedTuple):
    """Works in a list."""

    window_id: int
    place: str
    when: str
    detail: str
    under_way: bool


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the works that go on or are to come, and the form to announce some."""
    rendering.query(request)
    return await _page(request, {})


async def _page(request: web.Request, given: dict[str, str], *, wrong: str = "") -> web.Response:
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await works.works_of(connection, tenant.tenant_id, now)
        manages = await may(connection, tenant.tenant_id, MANAGE)
        places = await _places(connection, tenant, texts) if manages else []
    zone = ZoneInfo(tenant.time_zone)
    return rendering.html(
        request,
        "travaux.html",
        status=422 if wrong else 200,
        tenant=tenant,
        here="alertes",
        crumbs=[Crumb(texts("nav.alertes"), rendering.tenant_address(tenant, "alertes"))],
        lines=[_line(one, now, zone, texts) for one in found],
        places=places,
        given={"place": "", "since": f"{now.astimezone(zone):%Y-%m-%dT%H:%M}", "until": "", "reason": ""} | given,
        wrong=wrong,
        manages=manages,
    )


async def _places(connection: asyncpg.Connection, tenant: Tenant, texts: Texts) -> list[tuple[str, str]]:
    """Return where works can be: everywhere, a site, a point, and antennas for who runs the network."""
    sites = await everything(lambda **page: territory.sites(connection, tenant.tenant_id, **page))
    points = await everything(lambda **page: territory.points(connection, tenant.tenant_id, **page))
    antennas = []
    if await runs_network(connection, tenant.tenant_id):
        antennas = await everything(lambda **page: network.gateways(connection, **page))
    named = {site.site_id: site.name for site in sites}
    return [
        *((f"site_id:{site.site_id}", site.name) for site in sites),
        *((f"point_id:{point.point_id}", f"{point.name}, {named.get(point.site_id, '')}") for point in points),
        *((f"gateway_id:{one.gateway_id}", texts("travaux.antenna", name=one.name or one.gateway_eui))
          for one in antennas),
        ("everywhere", texts("travaux.everywhere")),
    ]  # fmt: skip


def _line(one: Works, now: datetime, zone: ZoneInfo, texts: Texts) -> Line:
    since, until = (words.moment(at, zone, "minute", texts) for at in (one.since, one.until))
    by = texts("travaux.by", who=one.created_by) if one.created_by else ""
    return Line(
        one.window_id,
        texts("travaux.antenna", name=one.place) if one.gateway_id else one.place or texts("travaux.everywhere"),
        texts("travaux.when", since=since, until=until),
        " · ".join(part for part in (one.reason, by) if part),
        one.since <= now,
    )


@require(MANAGE)
async def announce(request: web.Request) -> web.Response:
    """Announce works between two local moments."""
    given = await form(request, "place", "since", "until", "reason")
    texts, reason = rendering.catalogue_of(request), given["reason"].strip()[:_MAX_REASON]
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        wrong, span = _span(given, ZoneInfo(tenant.time_zone), request.app[CLOCK](), texts)
        if span is not None and reason:
            where, (since, until) = _where(given["place"]), span
            who = account_of(request).called
            window_id = await works.add_works(
                connection, tenant.tenant_id, since=since, until=until, reason=reason, who=who, **where
            )
            detail = {"since": since.isoformat(), "until": until.isoformat()} | where
            await audit.append_own(
                connection, "works.announced", tenant_id=tenant.tenant_id, subject=str(window_id), detail=detail
            )
            return rendering.onward(rendering.tenant_address(tenant, "travaux"), done="works_announced")
    return await _page(request, given, wrong=wrong or texts("travaux.say_why"))


def _span(
    given: dict[str, str], zone: ZoneInfo, now: datetime, texts: Texts
) -> tuple[str, tuple[datetime, datetime] | None]:
    """Return what is wrong with the two moments of a form, '' for nothing, and the moments."""
    try:
        since, until = (datetime.fromisoformat(given[name]).replace(tzinfo=zone) for name in ("since", "until"))
    except ValueError:
        return texts("travaux.say_when"), None
    since = max(since, now)
    return ("", (since, until)) if until > since else (texts("travaux.ends_before"), None)


def _where(place: str) -> dict[str, int]:
    """Return the place of a form. Raises NotFoundError for one that there is not."""
    if place == "everywhere":
        return {}
    name, _, number = place.partition(":")
    if name not in _PLACES or not (number.isascii() and number.isdigit()) or int(number) > MAX_ID:
        raise NotFoundError
    return {name: int(number)}


@require(MANAGE)
async def end(request: web.Request) -> web.Response:
    """End works before their time, or call them off."""
    await form(request)
    number = of_path(request, WorksPath).id
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await works.end_works(connection, tenant.tenant_id, number, request.app[CLOCK]())
        await audit.append_own(connection, "works.ended", tenant_id=tenant.tenant_id, subject=str(number))
    return rendering.onward(rendering.tenant_address(tenant, "travaux"), done="works_ended")


ROUTES: Final = (web.get(PATH, show), web.post(PATH, announce), web.post(END, end))
