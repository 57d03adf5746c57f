"""What people would have told of the demonstration's communes: floors, prices, networks, opening hours and rules."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from alerting import managing
from domain.water import Network
from simulators.demo.places import COMMUNES, communes
from simulators.demo.scenario import Scenario, devices
from store import buildings, comparing
from store.buildings import Price
from store.fleet import tenant_ids
from store.reading import territory
from store.reading.pages import MAX_LIMIT
from store.reading.territory import Site

_ACTIVITIES: Final = {
    "school": "school",
    "town_hall": "office",
    "gym": "sports",
    "pool": "pool",
    "library": "culture",
    "hall": "hall",
}
_REFERENCE_YEAR: Final = 2019
_REFERENCE_KWH_M2: Final = {"pool": 420.0, "gym": 110.0}
_USUAL_KWH_M2: Final = 140.0
# Euros a unit, taxes included: of the size that small communes pay.
_PRICES: Final = {"active_energy_import": 0.21, "gas_volume": 1.05, "water_volume": 4.1}
_NETWORKS: Final = {
    "marcelcave": {2025: Network(98_400, 0, 4_200, 76_900, 22.4), 2024: Network(103_800, 0, 4_000, 75_800, 22.4)},
    "vignacourt": {2025: Network(152_000, 8_000, 0, 139_500, 31.8)},
}
_POPULATION_YEAR: Final = 2026  # that of simulators/territories/somme.csv
_NOT_COMPARED: Final = ("picquigny", "marcelcave")  # the others agreed
_WHO_AGREED: Final = "le maire (démonstration)"
_WATCHED: Final = ("corbie", "albert", "villers-bretonneux")
_TEMPLATES: Final = {"school": "school", "town_hall": "town_hall", "pool": "swimming_pool"}


class _Written(NamedTuple):
    """A rule that a manager wrote for a kind of site, beside its template."""

    slug: str
    site_kind: str
    name: str
    kind: str
    values: Mapping[str, object]


# What the templates do not say, and is to be found here: docs/simulators.md.
_WRITTEN: Final = (
    _Written(
        "albert",
        "school",
        "CO2 trop élevé depuis hier",
        "aggregate",
        {"quantity": "co2", "function": "max", "over_s": 86_400, "above": 1500},
    ),
    _Written(
        "villers-bretonneux",
        "gym",
        "Capteur figé",
        "frozen_value",
        {"quantity": "temperature", "frozen_s": 86_400, "samples": 6},
    ),
)
_PRICED_SINCE: Final = date(2020, 1, 1)


async def tell(connection: asyncpg.Connection, scenario: Scenario) -> None:
    """Tell what no sensor does: floors, prices, networks, inhabitants, who agreed, where the weather is measured.

    Telling again changes nothing.
    """
    floors = {(COMMUNES[one.site.insee], one.site.name): one.site.area_m2 for one in devices(scenario)}
    populations = {COMMUNES[one.insee]: round(one.population) for one in communes().values()}
    ids = await tenant_ids(connection)
    for slug in COMMUNES.values():
        tenant_id = ids[slug]
        for site in (await territory.sites(connection, tenant_id, limit=MAX_LIMIT)).items:
            area_m2 = floors.get((slug, site.name), 0.0)
            if area_m2:
                await _tell_building(connection, tenant_id, site, area_m2)
            if site.kind == "stadium":
                await _tell_weather(connection, tenant_id, site)
        for quantity, euros in _PRICES.items():
            await buildings.set_price(connection, tenant_id, Price(quantity, _PRICED_SINCE, euros))
        await comparing.set_population(connection, tenant_id, populations[slug], _POPULATION_YEAR)
        if slug not in _NOT_COMPARED:
            await comparing.agree(connection, tenant_id, None, _WHO_AGREED)
        for year, network in _NETWORKS.get(slug, {}).items():
            await buildings.set_water_network(connection, tenant_id, year, network)


async def _tell_building(connection: asyncpg.Connection, tenant_id: int, site: Site, area_m2: float) -> None:
    await buildings.set_building(
        connection,
        tenant_id,
        site.site_id,
        floor_area_m2=area_m2,
        activity=_ACTIVITIES.get(site.kind, "other"),
        reference_year=_REFERENCE_YEAR,
        reference_kwh=area_m2 * _REFERENCE_KWH_M2.get(site.kind, _USUAL_KWH_M2),
    )


async def _tell_weather(connection: asyncpg.Connection, tenant_id: int, site: Site) -> None:
    points = (await territory.points(connection, tenant_id, site.site_id)).items
    for point in points:
        if point.name == "Air extérieur":
            await buildings.add_weather_point(connection, point.point_id)


async def watch(connection: asyncpg.Connection, now: datetime) -> int:
    """Take the templates that suit some communes, as a manager would: tried on the past, then enabled.

    Returns how many rules watch. To be called once, when the past is stored.
    """
    ids, count = await tenant_ids(connection), 0
    for slug in _WATCHED:
        for site in (await territory.sites(connection, ids[slug], limit=MAX_LIMIT)).items:
            if site.kind in _TEMPLATES:
                made = await managing.take_template(connection, ids[slug], site.site_id, _TEMPLATES[site.kind])
                count += await _enable(connection, made.rule_ids, now)
            for one in _WRITTEN:
                if (one.slug, one.site_kind) == (slug, site.kind):
                    rule_id = await managing.add(
                        connection,
                        ids[slug],
                        name=one.name,
                        kind=one.kind,
                        values=one.values,
                        target={"site_id": site.site_id},
                        severity="warning",
                    )
                    count += await _enable(connection, [rule_id], now)
    return count


async def _enable(connection: asyncpg.Connection, rule_ids: Sequence[int], now: datetime) -> int:
    for rule_id in rule_ids:
        await managing.try_rule(connection, rule_id, now)
        await managing.enable(connection, rule_id)
    return len(rule_ids)
