"""The page of a tenant's water, /t/<slug>/eau: what was used, what leaks at night, how the network does."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader, writer
from api.numbers import number_of
from api.pages import breakdown, forms, periods, rendering, water_view, water_words
from api.pages.breakdown import Worth
from api.pages.energy_view import price_of
from api.pages.navigation import Entry
from api.pages.periods import Period
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.pages.water_view import Meter
from api.places import Places, places_of
from api.tenancy import tenant_of
from domain import water
from domain.water import Network
from store import buildings
from store.reading import consumption, hourly
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/eau"
_NETWORK: Final = f"{PATH}/reseau"
_NIGHTS: Final = timedelta(days=15)
_FIELDS: Final = ("produced_m3", "imported_m3", "exported_m3", "authorised_m3", "length_km")
_MAX: Final = 1e9


@require(READ)
async def page(request: web.Request) -> web.Response:
    """Answer the page; `periode` says over how long."""
    name = rendering.query(request, "periode").choice("periode", periods.NAMES, "mois")
    now, texts = request.app[CLOCK](), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        period = periods.period(name, now, ZoneInfo(tenant.time_zone))
        of_tenant = (connection, tenant, (water_view.VOLUME,))
        read = water_view.Found(
            told=await consumption.days(*of_tenant, period.years(water.YEARS)),
            hours=await hourly.hours(*of_tenant, period.end - _NIGHTS, now),
            prices=await buildings.prices(connection, tenant.tenant_id),
        )
        places = await places_of(connection, tenant.tenant_id)
        networks = await buildings.water_networks(connection, tenant.tenant_id)
    found = water_view.meters(read, period)
    return rendering.html(
        request,
        "eau.html",
        tenant=tenant,
        lead=water_words.lead(found, name, period, texts),
        leaks=water_words.leaks(found, places.names, tenant, texts),
        rows=water_words.rows(found, places.names, tenant, texts),
        columns=water_words.columns(texts),
        uses=_uses(read, period, found, places, tenant, texts=texts),
        network_rows=water_words.network_rows(networks, texts),
        network_columns=water_words.network_columns(texts),
        runs_a_network=bool(networks) or any(one.supplies for one in found),
        periods=rendering.choices(request, "periode", {one: texts(f"period.{one}") for one in periods.NAMES}, name),
        may_manage=MANAGE in account_of(request).permissions,
        network=rendering.tenant_address(tenant, "eau", "reseau"),
    )


def _uses(
    read: water_view.Found,
    period: Period,
    found: Sequence[Meter],
    places: Places,
    tenant: Tenant,
    *,
    texts: Texts,
) -> breakdown.Shown | None:
    """Return for what it was used; None while nobody said of any meter. What a network lets through is no use."""
    networks = {one.point_id for one in found if one.supplies}
    told = [
        one._replace(part_of=None) if one.part_of in networks else one
        for one in read.told
        if one.point_id not in networks
    ]
    price = price_of(read.prices, water_view.VOLUME, period.end.date())
    return breakdown.shown(
        breakdown.breakdown(told),
        {water_view.VOLUME: Worth(1.0, price)},
        [(site.site_id, site.name, rendering.tenant_address(tenant, "sites", site.site_id)) for site in places.sites],
        places.names,
        water_words.M3,
        texts=texts,
    )


@require(MANAGE)
async def network(request: web.Request) -> web.Response:
    """Answer the form of a year of the network."""
    rendering.query(request)
    return await _network(request, {}, {})


async def _network(request: web.Request, given: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
    last_year = request.app[CLOCK]().astimezone(ZoneInfo(tenant.time_zone)).year - 1
    return rendering.html(
        request,
        "reseau_eau.html",
        status=422 if errors else 200,
        tenant=tenant,
        here="eau",
        crumbs=[Crumb(texts("nav.eau"), rendering.tenant_address(tenant, "eau"))],
        fields=[(name, given.get(name, ""), errors.get(name, "")) for name in _FIELDS],
        year=given.get("year", str(last_year)),
        year_error=errors.get("year", ""),
    )


@require(MANAGE)
async def save_network(request: web.Request) -> web.Response:
    """Keep a year of the network."""
    given = await forms.form(request, "year", *_FIELDS)
    texts = rendering.catalogue_of(request)
    numbers = {name: number_of(given[name]) for name in _FIELDS}
    errors = {name: texts("buildings.error.number") for name, value in numbers.items() if not _is_volume(name, value)}
    if not (given["year"].isdecimal() and given["year"].isascii() and 2000 <= int(given["year"][:5]) <= 2100):
        errors["year"] = texts("water.network.error.year")
    if errors:
        return await _network(request, given, errors)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        volumes = Network(*(numbers[name] or 0.0 for name in _FIELDS))
        await buildings.set_water_network(connection, tenant.tenant_id, int(given["year"]), volumes)
    return rendering.onward(rendering.tenant_address(tenant, "eau"), done="saved")


def _is_volume(name: str, value: float | None) -> bool:
    """Say whether a field holds what it should: volumes that are left out are none, a length is more than none."""
    if value is None:
        return name in {"imported_m3", "exported_m3"}
    return (0 < value < _MAX) if name == "length_km" else (0 <= value < _MAX)


ROUTES: Final = (web.get(PATH, page), web.get(_NETWORK, network), web.post(_NETWORK, save_network))
NAVIGATION: Final = (Entry("eau", PATH, "drop", 40),)
