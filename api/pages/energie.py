"""The page of a tenant's energy, /t/<slug>/energie: by building, in kWh and euros, against last year and the decree."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader
from api.opening import opened
from api.pages import breakdown, decree, energy_view, energy_words, periods, rendering
from api.pages.breakdown import Worth
from api.pages.energy_view import Figures, Found
from api.pages.navigation import Entry
from api.pages.periods import Period
from api.pages.texts import Texts
from api.places import places_of
from api.tenancy import tenant_of
from domain import energy
from store import buildings
from store.reading import consumption, hourly
from store.reading.consumption import Told, Use
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/energie"
_HABITS: Final = timedelta(days=28)  # over how long base load and closed hours are told


@require(READ)
async def page(request: web.Request) -> web.Response:
    """Answer the page; `periode` says over how long."""
    name = rendering.query(request, "periode").choice("periode", periods.NAMES, "mois")
    now, texts = request.app[CLOCK](), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        period = periods.period(name, now, zone)
        told = await consumption.days(connection, tenant, energy_view.QUANTITIES, period.both)
        found = await _found(connection, tenant, period, periods.period("douze", now, zone), told)
        names = (await places_of(connection, tenant.tenant_id)).names
    year_kwh: dict[int, float] = {}
    for use in found.year:
        year_kwh[use.site_id] = year_kwh.get(use.site_id, 0.0) + energy_view.kwh(use)
    shown = energy_view.figures(found)
    return rendering.html(
        request,
        "energie.html",
        tenant=tenant,
        figures=shown,
        lead=energy_words.lead(shown, name, period, texts),
        tiles=energy_words.tiles(shown, texts),
        rows=energy_words.rows(shown, tenant, texts),
        columns=energy_words.columns(texts),
        uses=_uses(told, shown, names, tenant, texts),
        decree=decree.rows(energy_view.decree(found.buildings, year_kwh, now.astimezone(zone).year), texts),
        decree_columns=decree.columns(texts),
        periods=rendering.choices(request, "periode", {one: texts(f"period.{one}") for one in periods.NAMES}, name),
        may_manage=MANAGE in account_of(request).permissions,
        incomplete=not found.prices or all(one.floor_area_m2 is None for one in found.buildings),
        export=rendering.tenant_address(tenant, "energie", "operat.csv"),
        settings=rendering.tenant_address(tenant, "energie", "batiments"),
    )


def _uses(
    told: list[Told], shown: Figures, names: Mapping[int, str], tenant: Tenant, texts: Texts
) -> breakdown.Shown | None:
    """Return for what it was used, at the mean price of the period; None while nobody said of any meter."""
    worth = {
        quantity: Worth(
            energy.KWH[quantity],
            None if amount.euros is None or amount.kwh <= 0 else amount.euros / amount.kwh * energy.KWH[quantity],
        )
        for quantity, amount in shown.by_quantity.items()
    }
    sites = [(site.site_id, site.name, rendering.tenant_address(tenant, "sites", site.site_id)) for site in shown.sites]
    return breakdown.shown(breakdown.breakdown(told), worth, sites, names, energy_words.KWH, texts=texts)


async def _found(
    connection: asyncpg.Connection, tenant: Tenant, period: Period, year: Period, told: list[Told]
) -> Found:
    start = min(period.start_before, year.start)  # the one ends where the other begins: they are read at once
    uses = await consumption.uses(
        connection,
        tenant,
        energy_view.QUANTITIES,
        start,
        period.end,
        alike=periods.alike(told, period.days),
    )
    hours = await hourly.hours(connection, tenant, (energy_view.ELECTRICITY,), period.end - _HABITS, period.end)
    opening = await buildings.opening_hours(connection, tenant.tenant_id)
    return Found(
        now=_within(uses, period.start, period.end),
        before=_within(uses, period.start_before, period.end_before),
        year=_within(uses, year.start, year.end),
        hours=hours,
        buildings=await buildings.buildings(connection, tenant.tenant_id),
        prices=await buildings.prices(connection, tenant.tenant_id),
        degree_days=await buildings.degree_days_of(connection, start, period.end),
        opened=opened([(hour.site_id, hour.start) for hour in hours], opening, period.zone),
        zone=period.zone,
    )


def _within(uses: list[Use], start: datetime, end: datetime) -> list[Use]:
    """Return those of [start, end). Moments of one zone are compared twenty times as fast as those of two."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    return [use for use in uses if first <= use.start < last]


ROUTES: Final = (web.get(PATH, page),)
NAVIGATION: Final = (Entry("energie", PATH, "bolt", 30),)
