"""The communes of an EPCI or a syndicat beside each other, /t/<slug>/communes/comparaison: those who agreed, alone."""

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import READ, require
from api.context import CLOCK, reader
from api.pages import comparatif_view, periods, rendering, words
from api.pages.comparatif_view import ALL_KINDS, ENERGY, QUANTITIES, SITE_KINDS, WATER
from api.pages.rendering import Crumb
from api.tenancy import tenant_of
from domain import comparing, energy
from store import buildings
from store.reading import compared
from store.reading.growth import Asked

PATH: Final = "/t/{slug}/communes/comparaison"


@require(READ)
async def show(request: web.Request) -> web.Response:
    """Answer the page: `sujet` is energy or water, `lieux` which kind of buildings."""
    query = rendering.query(request, "sujet", "lieux")
    what, kind = query.choice("sujet", (ENERGY, WATER), ENERGY), query.choice("lieux", SITE_KINDS, ALL_KINDS)
    kind = kind if what == ENERGY else ALL_KINDS
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)  # shows this one alone from here on
    year = periods.period("douze", now, ZoneInfo(tenant.time_zone))
    async with reader(request) as connection:
        agreed = await compared.agreed(connection, tenant.tenant_id)
        asked = Asked([one.tenant_id for one in agreed], QUANTITIES[what], [(year.start, year.end)], tenant.time_zone)
        meters = await compared.counted(connection, asked, base_c=energy.BASE_C)
        others = await compared.not_agreed(connection, tenant.tenant_id)
        weather = await buildings.degree_days_of(connection, year.start, year.end)
    known = len(weather) / year.days
    degree_days = sum(weather.values()) / known if known >= comparing.ENOUGH else None
    found = comparatif_view.figures(what, kind, agreed, meters, (year.days, degree_days))
    return rendering.html(
        request,
        "comparatif.html",
        tenant=tenant,
        here="communes",
        crumbs=[Crumb(texts("nav.communes"), rendering.tenant_address(tenant, "communes"))],
        shown=comparatif_view.shown(what, agreed, found, texts),
        until=words.day(year.end.date() - timedelta(days=1), texts),
        agreed=len(agreed),
        others=others,
        what=what,
        subjects=[
            {"href": f"?sujet={name}", "label": texts(f"comparatif.subject.{name}"), "chosen": name == what}
            for name in (ENERGY, WATER)
        ],
        kinds=[
            {
                "href": rendering.address(request, lieux=name),
                "label": texts(f"place.{name}" if name else "comparatif.all_kinds"),
                "chosen": name == kind,
            }
            for name in SITE_KINDS
        ],
    )


ROUTES: Final = (web.get(PATH, show),)
