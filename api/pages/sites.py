"""The sites of a tenant, /t/<slug>/sites: how each fares, and what it used this month."""

from typing import Any, Final

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK
from api.pages import fare, rendering, use
from api.pages.accueil import on_map, overview
from api.pages.fare import Fleet, Place
from api.pages.months import Month
from api.pages.navigation import Entry
from api.pages.texts import Texts
from store.reading.consumption import Told

PATH: Final = "/t/{slug}/sites"


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    tenant, month, fleet, told = await overview(request)
    places = fare.places(fleet, rendering.tenant_address(tenant), now, texts)
    kinds = [kind for kind in use.KINDS if any(one.quantity in kind.quantities and one.days for one in told)]
    return rendering.html(
        request,
        "sites.html",
        tenant=tenant,
        places=places,
        columns=[texts("sites.site"), texts("sites.status"), *(texts(f"use.{kind.name}") for kind in kinds)],
        rows=[_row(place, kinds, of_site(told, fleet, place.site_id), month, texts) for place in places],
        period=month.said(texts),
        map_sites=rendering.island(on_map(places)),
    )


def of_site(told: list[Told], fleet: Fleet, site_id: int) -> list[Told]:
    """Return what was told of the points that count at one site."""
    own = {point.point_id for point in fleet.points if point.site_id == site_id}
    return [one for one in told if (one.point_id in own if one.site_id is None else one.site_id == site_id)]


def _row(place: Place, kinds: list[use.Kind], told: list[Told], month: Month, texts: Texts) -> list[Any]:
    cells: list[Any] = [{"text": place.name, "href": place.href}, {"text": place.status_words, "status": place.status}]
    for kind in kinds:
        own = [one for one in told if one.quantity in kind.quantities]
        cells.append(use.figure(kind, own, month, texts))
    return cells


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("sites", PATH, "building", 20, handy=True),)
