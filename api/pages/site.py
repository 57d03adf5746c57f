"""A site, /t/<slug>/sites/<id>: its points as they are now, today against usual, nights, comfort."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.pages import fare, rendering, rhythm, view
from api.pages.accueil import fleet_of
from api.pages.rendering import Crumb
from api.pages.rhythm import Around
from api.pages.texts import Texts
from api.query import path_id
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store import buildings
from store.reading.hourly import hours_of_site
from store.reading.latest import latest_values

PATH: Final = "/t/{slug}/sites/{id}"
_WEEKS: Final = timedelta(weeks=rhythm.WEEKS)


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    site_id = path_id(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        fleet = await fleet_of(connection, tenant)
        site = next((one for one in fleet.sites if one.site_id == site_id), None)
        if site is None:
            raise NotFoundError
        values = await latest_values(connection, tenant.tenant_id, site_id=site_id)
        read = partial(hours_of_site, connection, tenant, site_id, start=now - _WEEKS, end=now)
        hours = await read([*rhythm.COUNTERS, *rhythm.LEVELS])
        definition = (await buildings.opening_hours(connection, tenant.tenant_id)).get(site_id)
    points = [point for point in fleet.points if point.site_id == site_id]
    zone = ZoneInfo(tenant.time_zone)
    around = Around(now, zone, rhythm.is_open(definition, zone), texts)
    address = rendering.tenant_address(tenant)
    cards = view.cards(points, values, now, texts)
    items = [item for item in fare.items(fleet, address, now, texts) if item.site_id == site_id]
    return rendering.html(
        request,
        "site.html",
        tenant=tenant,
        crumbs=[Crumb(texts("nav.sites"), f"{address}/sites")],
        site=site,
        kind=fare.site_kind(site.kind, texts),
        live=f"/api/v1/live?tenant={quote(tenant.slug)}",
        now=now,
        cards=cards,
        summary=_summary(cards, items, texts),
        items=items,
        uses=rhythm.uses(hours, around),
        comfort=rhythm.comfort(hours, {point.point_id: point.name for point in points}, around),
        has_hours=definition is not None,
        address=address,
    )


def _summary(cards: Sequence[view.Card], items: Sequence[fare.Item], texts: Texts) -> view.Summary | None:
    """Return the sentence at the top: what is to be looked at comes before who is heard."""
    if items:
        return view.Summary("watch", texts.plural("accueil.to_watch", len(items)))
    return view.summary(cards, texts)


ROUTES: Final = (web.get(PATH, show),)
