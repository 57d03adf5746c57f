"""The page of a tenant's environment, /t/<slug>/environnement: the air of rooms first, then everything else."""

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.opening import opened
from api.pages import air_view, air_words, periods, rendering
from api.pages.navigation import Entry
from api.places import places_of
from api.tenancy import tenant_of
from store import buildings
from store.reading import consumption, hourly

PATH: Final = "/t/{slug}/environnement"
_DAYS: Final = {"mois": 30, "annee": 365}
_QUANTITIES: Final = (air_view.CO2, air_view.TEMPERATURE, air_view.HUMIDITY, *air_view.OTHERS)


@require(READ)
async def page(request: web.Request) -> web.Response:
    """Answer the page; `periode` says over how long: 30 days, or a year of rooms alone."""
    name = rendering.query(request, "periode").choice("periode", ("mois", "annee"), "mois")
    now, texts = request.app[CLOCK](), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        quantities = _QUANTITIES if name == "mois" else _QUANTITIES[:3]
        levels = await hourly.levels(connection, tenant.tenant_id, quantities, now - timedelta(days=_DAYS[name]), now)
        zone = ZoneInfo(tenant.time_zone)
        today = periods.midnight(now.astimezone(zone).date(), zone)
        days = [(today - timedelta(days=_DAYS[name]), today)]
        rained = await consumption.days(connection, tenant, (air_view.RAIN,), days)
        hours = await buildings.opening_hours(connection, tenant.tenant_id)
        places = await places_of(connection, tenant.tenant_id)
    open_at = opened([(one.site_id, one.start) for one in levels], hours, zone)
    outdoors = {site.site_id for site in places.sites if site.kind in air_view.OUTDOORS}
    found = air_view.seen(levels, open_at, rained, outdoors)
    return rendering.html(
        request,
        "environnement.html",
        tenant=tenant,
        lead=air_words.lead(found, texts),
        rooms=air_words.room_rows(found, places.names, tenant, texts),
        room_columns=air_words.room_columns(texts),
        others=air_words.others(found, places.names, tenant, texts) if name == "mois" else [],
        other_columns=air_words.other_columns(texts),
        has_school=any(site.kind in air_view.SCHOOLS for site in places.sites),
        reports=[
            {
                "href": rendering.tenant_address(tenant, "environnement", f"air-des-ecoles.{form}"),
                "label": texts(f"air.report.{form}"),
            }
            for form in ("pdf", "csv")
        ],
        periods=rendering.choices(request, "periode", {one: texts(f"air.period.{one}") for one in _DAYS}, name),
    )


ROUTES: Final = (web.get(PATH, page),)
NAVIGATION: Final = (Entry("environnement", PATH, "leaf", 50),)
