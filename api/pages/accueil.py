"""The first page of a tenant, /t/<slug>: how its buildings fare, in words first."""

from functools import partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.pages import fare, months, rendering, use, words
from api.pages.fare import Fleet, Place
from api.pages.months import Month
from api.pages.navigation import Entry
from api.pages.texts import Texts
from api.pagination import everything
from api.tenancy import tenant_of
from store.reading import territory
from store.reading.attention import attention
from store.reading.consumption import Told, days
from store.reading.seen import seen
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}"


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    tenant, month, fleet, told = await overview(request)
    address = rendering.tenant_address(tenant)
    places = fare.places(fleet, address, now, texts)
    return rendering.html(
        request,
        "accueil.html",
        tenant=tenant,
        hello=_hello(tenant, texts),
        items=fare.items(fleet, address, now, texts),
        points=len(fleet.points),
        tiles=use.tiles(told, month, texts),
        period=month.said(texts),
        month=month.named(texts),
        places=places,
        map_sites=rendering.island(on_map(places)),
    )


class Overview(NamedTuple):
    """A tenant so far this month: its sites and points, what is wrong there, and what was used."""

    tenant: Tenant
    month: Month
    fleet: Fleet
    told: list[Told]


async def overview(request: web.Request) -> Overview:
    """Return the overview of the tenant that the address names."""
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        month = months.to_date(request.app[CLOCK](), ZoneInfo(tenant.time_zone))
        periods = [month.bounds, months.year_before(month).bounds]
        told = await days(connection, tenant, use.QUANTITY_NAMES, periods)
        return Overview(tenant, month, await fleet_of(connection, tenant), told)


async def fleet_of(connection: asyncpg.Connection, tenant: Tenant) -> Fleet:
    """Return the sites and points of a tenant, and what is wrong there."""
    return Fleet(
        sites=await everything(partial(territory.sites, connection, tenant.tenant_id)),
        points=await seen(connection, tenant.tenant_id),
        open_now=await attention(connection, tenant.tenant_id),
    )


def _hello(tenant: Tenant, texts: Texts) -> str:
    return words.town_hall(tenant.name, texts) if tenant.kind == "commune" else tenant.name


def on_map(places: list[Place]) -> list[dict[str, object]]:
    """Return what the script of the map needs to know of the sites that have a position."""
    return [
        {
            "name": place.name,
            "href": place.href,
            "status": place.status,
            "words": place.status_words,
            "at": [place.latitude_deg, place.longitude_deg],
        }
        for place in places
        if place.latitude_deg is not None
    ]


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("accueil", PATH, "home", 10, handy=True),)
