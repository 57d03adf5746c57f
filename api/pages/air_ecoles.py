"""The year's assessment of the air in schools, /t/<slug>/environnement/air-des-ecoles.pdf, and .csv."""

from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.exports import delimited
from api.opening import opened
from api.pages import air_view, periods, rendering
from api.pages.paper import paper
from api.places import places_of
from api.reports import air
from api.reports.air import Year
from api.tenancy import tenant_of
from store import buildings
from store.reading import hourly

_PDF: Final = "/t/{slug}/environnement/air-des-ecoles.pdf"
_CSV: Final = "/t/{slug}/environnement/air-des-ecoles.csv"


@require(READ)
async def document(request: web.Request) -> web.Response:
    """Answer the PDF, in the reader's language."""
    slug, found = await _year(request)
    told = air.tell(found, rendering.catalogue_of(request))
    return await paper(request, told, f"air-des-ecoles-{slug}-{found.end}.pdf")


@require(READ)
async def file(request: web.Request) -> web.Response:
    """Answer a line a room, as French spreadsheets read CSV."""
    slug, found = await _year(request)
    heads, *rows = air.rows(found, rendering.catalogue_of(request))
    return delimited.attachment(f"air-des-ecoles-{slug}-{found.end}.csv", [str(head) for head in heads], rows)


async def _year(request: web.Request) -> tuple[str, Year]:
    rendering.query(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        today = request.app[CLOCK]().astimezone(zone).date()
        start = periods.a_year_before(today)
        levels = await hourly.levels(
            connection, tenant.tenant_id, (air_view.CO2,), periods.midnight(start, zone), periods.midnight(today, zone)
        )
        hours = await buildings.opening_hours(connection, tenant.tenant_id)
        places = await places_of(connection, tenant.tenant_id)
    schools = {site.site_id: site.name for site in places.sites if site.kind in air_view.SCHOOLS}
    names = {
        point.point_id: (schools[point.site_id], point.name) for point in places.points if point.site_id in schools
    }
    open_at = opened([(one.site_id, one.start) for one in levels], hours, zone)
    rooms = air_view.seen([one for one in levels if one.point_id in names], open_at).rooms
    return tenant.slug, Year(tenant.name, start, today, rooms, names)


ROUTES: Final = (web.get(_PDF, document), web.get(_CSV, file))
