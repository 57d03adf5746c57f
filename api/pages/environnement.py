"""The page of a tenant's environment, /t/<slug>/environnement: the air of rooms first, then everything else."""

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.exports import delimited
from api.opening import opened
from api.pages import air_view, air_words, periods, rendering
from api.pages.navigation import Entry
from api.places import places_of
from api.tenancy import tenant_of
from store import buildings
from store.reading import hourly

PATH: Final = "/t/{slug}/environnement"
_REPORT: Final = f"{PATH}/air-des-ecoles.csv"
_DAYS: Final = {"mois": 30, "annee": 365}
_QUANTITIES: Final = (air_view.CO2, air_view.TEMPERATURE, air_view.HUMIDITY, *air_view.OTHERS)
_SCHOOLS: Final = frozenset({"school", "nursery"})
_COLUMNS: Final = (
    "site",
    "room",
    "from",
    "to",
    "occupied_hours",
    "mean_ppm",
    "above_800_percent",
    "above_1500_percent",
    "icone",
)


@require(READ)
async def page(request: web.Request) -> web.Response:
    """Answer the page; `periode` says over how long: 30 days, or a year of rooms alone."""
    name = rendering.query(request, "periode").choice("periode", ("mois", "annee"), "mois")
    now, texts = request.app[CLOCK](), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        quantities = _QUANTITIES if name == "mois" else _QUANTITIES[:3]
        levels = await hourly.levels(connection, tenant.tenant_id, quantities, now - timedelta(days=_DAYS[name]), now)
        hours = await buildings.opening_hours(connection, tenant.tenant_id)
        places = await places_of(connection, tenant.tenant_id)
    open_at = opened([(one.site_id, one.start) for one in levels], hours, ZoneInfo(tenant.time_zone))
    found = air_view.seen(levels, open_at)
    return rendering.html(
        request,
        "environnement.html",
        tenant=tenant,
        lead=air_words.lead(found, texts),
        rooms=air_words.room_rows(found, places.names, tenant, texts),
        room_columns=air_words.room_columns(texts),
        others=air_words.other_rows(found, places.names, tenant, texts) if name == "mois" else [],
        other_columns=air_words.other_columns(texts),
        has_school=any(site.kind in _SCHOOLS for site in places.sites),
        report=rendering.tenant_address(tenant, "environnement", "air-des-ecoles.csv"),
        periods=rendering.choices(request, "periode", {one: texts(f"air.period.{one}") for one in _DAYS}, name),
    )


@require(READ)
async def report(request: web.Request) -> web.Response:
    """Answer the year's assessment of the air in schools: a line a room, as French spreadsheets read CSV."""
    rendering.query(request)
    now = request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        today = now.astimezone(zone).date()
        start = periods.a_year_before(today)
        levels = await hourly.levels(
            connection, tenant.tenant_id, (air_view.CO2,), periods.midnight(start, zone), periods.midnight(today, zone)
        )
        hours = await buildings.opening_hours(connection, tenant.tenant_id)
        places = await places_of(connection, tenant.tenant_id)
    schools = {site.site_id: site.name for site in places.sites if site.kind in _SCHOOLS}
    rooms = {
        point.point_id: (schools[point.site_id], point.name) for point in places.points if point.site_id in schools
    }
    open_at = opened([(one.site_id, one.start) for one in levels], hours, zone)
    found = air_view.seen([one for one in levels if one.point_id in rooms], open_at)
    rows = [
        (
            *rooms[room.point_id],
            start.isoformat(),
            today.isoformat(),
            *(
                (None,) * 5
                if room.air is None
                else (
                    room.air.hours,
                    round(room.air.mean_ppm),
                    round(100 * room.air.above_watch, 1),
                    round(100 * room.air.above_act, 1),
                    room.air.icone,
                )
            ),
        )
        for room in found.rooms
    ]
    return delimited.attachment(f"air-des-ecoles-{tenant.slug}-{today}.csv", _COLUMNS, rows)


ROUTES: Final = (web.get(PATH, page), web.get(_REPORT, report))
NAVIGATION: Final = (Entry("environnement", PATH, "leaf", 50),)
