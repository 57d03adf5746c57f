"""What OPERAT asks to be declared of last year, /t/<slug>/energie/operat.csv, with what is still missing."""

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.exports import delimited
from api.pages import decree, energy_view, periods, rendering
from api.tenancy import tenant_of
from store import buildings
from store.reading import consumption

PATH: Final = "/t/{slug}/energie/operat.csv"


@require(READ)
async def send(request: web.Request) -> web.Response:
    """Answer a line a building, as French spreadsheets read CSV."""
    rendering.query(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        year = request.app[CLOCK]().astimezone(zone).year - 1
        start, end = (periods.midnight(date(one, 1, 1), zone) for one in (year, year + 1))
        uses = await consumption.uses(connection, tenant, energy_view.QUANTITIES, start, end)
        known = await buildings.buildings(connection, tenant.tenant_id)
    heads, *rows = decree.file(known, uses, year, rendering.catalogue_of(request))
    return delimited.attachment(f"operat-{tenant.slug}-{year}.csv", [str(head) for head in heads], rows)


ROUTES: Final = (web.get(PATH, send),)
