"""What a manager tells of the buildings, /t/<slug>/energie/batiments: prices, floors, the decree's reference years."""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import MANAGE, require
from api.context import CLOCK, reader, writer
from api.numbers import number_of
from api.pages import forms, rendering
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.query import MAX_ID
from api.tenancy import tenant_of
from domain import energy
from domain.errors import NotFoundError
from store import buildings
from store.buildings import Building, Price
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/energie/batiments"
_PRICES: Final = f"{PATH}/prix"
PRICED: Final = ("active_energy_import", "gas_volume", "heat_energy", "water_volume")
ACTIVITIES: Final = ("", "school", "office", "sports", "pool", "culture", "hall", "health", "other")
_MAX_M2: Final = 1e7
_MAX_KWH: Final = 1e12
_MAX_EUROS: Final = 1e4


class Refused(NamedTuple):
    """A form that was not kept: which one, what was given, and what is wrong with each field."""

    form: str
    given: Mapping[str, str]
    errors: Mapping[str, str]


@require(MANAGE)
async def page(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    return await _page(request, None)


async def _page(request: web.Request, refused: Refused | None) -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        known = await buildings.buildings(connection, tenant.tenant_id)
        prices = await buildings.prices(connection, tenant.tenant_id)
    current = {price.quantity: price for price in prices}  # the latest of each
    return rendering.html(
        request,
        "batiments.html",
        status=200 if refused is None else 422,
        tenant=tenant,
        here="energie",
        crumbs=[Crumb(texts("nav.energie"), rendering.tenant_address(tenant, "energie"))],
        prices=[_priced(quantity, current.get(quantity), refused, texts) for quantity in PRICED],
        buildings=[_card(building, refused) for building in known],
        activities=[(name, texts(f"buildings.activity.{name or 'none'}")) for name in ACTIVITIES],
        years=[("", texts("buildings.reference.none")), *((str(year), str(year)) for year in energy.REFERENCE_YEARS)],
        save_prices=rendering.tenant_address(tenant, "energie", "batiments", "prix"),
        save=rendering.tenant_address(tenant, "energie", "batiments"),
        refused=refused is not None,
    )


def _priced(quantity: str, price: Price | None, refused: Refused | None, texts: Texts) -> dict[str, str]:
    value = "" if price is None else _written(price.euros)
    wrong = refused is not None and refused.form == "prices"
    return {
        "name": quantity,
        "label": texts(f"buildings.price.{quantity}"),
        "value": refused.given.get(quantity, "") if refused is not None and wrong else value,
        "error": refused.errors.get(quantity, "") if refused is not None and wrong else "",
    }


def _card(building: Building, refused: Refused | None) -> dict[str, object]:
    mine = refused is not None and refused.form == str(building.site_id)
    kept = {
        "floor_area_m2": _written(building.floor_area_m2),
        "activity": building.activity,
        "reference_year": "" if building.reference_year is None else str(building.reference_year),
        "reference_kwh": _written(building.reference_kwh),
    }
    return {
        "site_id": building.site_id,
        "name": building.name,
        "values": refused.given if refused is not None and mine else kept,
        "errors": refused.errors if refused is not None and mine else {},
    }


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:g}".replace(".", ",") if value < 1e6 else f"{value:.0f}"


@require(MANAGE)
async def save_prices(request: web.Request) -> web.Response:
    """Keep the prices that changed, from today on."""
    given = await forms.form(request, *PRICED)
    texts = rendering.catalogue_of(request)
    euros, errors = _numbers(given, dict.fromkeys(PRICED, _MAX_EUROS), texts)
    if errors:
        return await _page(request, Refused("prices", given, errors))
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        known = {price.quantity: price for price in await buildings.prices(connection, tenant.tenant_id)}
        for quantity, value in euros.items():
            before = known.get(quantity)
            if value is not None and (before is None or before.euros != value):
                since = _today(request, tenant) if before is not None else date(2000, 1, 1)
                await buildings.set_price(connection, tenant.tenant_id, Price(quantity, since, value))
    return rendering.onward(rendering.tenant_address(tenant, "energie", "batiments"), done="saved")


def _today(request: web.Request, tenant: Tenant) -> date:
    return request.app[CLOCK]().astimezone(ZoneInfo(tenant.time_zone)).date()


@require(MANAGE)
async def save(request: web.Request) -> web.Response:
    """Keep what is told of one building."""
    given = await forms.form(request, "site_id", "floor_area_m2", "activity", "reference_year", "reference_kwh")
    texts = rendering.catalogue_of(request)
    limits = {"floor_area_m2": _MAX_M2, "reference_kwh": _MAX_KWH}
    numbers, errors = _numbers(given, limits, texts)
    if given["activity"] not in ACTIVITIES:
        errors["activity"] = texts("buildings.error.choice")
    years = {"", *map(str, energy.REFERENCE_YEARS)}
    if given["reference_year"] not in years or bool(given["reference_year"]) != bool(given["reference_kwh"]):
        errors["reference_year"] = texts("buildings.error.reference")
    if errors:
        return await _page(request, Refused(given["site_id"], given, errors))
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await buildings.set_building(
            connection,
            tenant.tenant_id,
            _site_id(given["site_id"]),
            floor_area_m2=numbers["floor_area_m2"],
            activity=given["activity"],
            reference_year=int(given["reference_year"]) if given["reference_year"] else None,
            reference_kwh=numbers["reference_kwh"],
        )
    return rendering.onward(rendering.tenant_address(tenant, "energie", "batiments"), done="saved")


def _site_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 11 and int(text) <= MAX_ID):
        raise NotFoundError
    return int(text)


def _numbers(
    given: Mapping[str, str], limits: Mapping[str, float], texts: Texts
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the numbers of a form, None for an empty one, and what is wrong with the others."""
    numbers = {name: number_of(given[name]) for name in limits}
    errors = {
        name: texts("buildings.error.number")
        for name, value in numbers.items()
        if value is not None and not 0 < value < limits[name]
    }
    return numbers, errors


ROUTES: Final = (web.get(PATH, page), web.post(PATH, save), web.post(_PRICES, save_prices))
