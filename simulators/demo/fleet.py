"""The devices of the demonstration: what is measured where, by which model, and what goes wrong.

What a person should find: a leak at the school of Corbie, bad air in a classroom of Albert, a sensor of
Villers-Bretonneux that tells the same temperature for days, an antenna without power at Ailly-sur-Noye.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from domain.uses import DISTRIBUTION, Use
from simulators.communes import Commune
from simulators.demo import buildings, devices, places, senses
from simulators.demo.buildings import Energy, Habits, Room, Story, Water
from simulators.demo.devices import GENERAL, HOURLY, PROFILES, RARELY, DemoDevice, Placed
from simulators.demo.places import Site
from simulators.demo.senses import Sense

_LESSONS: Final = Habits(8.5, 16.5, frozenset((0, 1, 3, 4)), closed_in_holidays=True)
_LESSONS_AND_LEISURE: Final = Habits(8.5, 18, frozenset(range(7)))  # children are there on the other days as well
_OFFICE: Final = Habits(8, 18, frozenset(range(5)))
_EVENINGS: Final = Habits(17, 23, frozenset((1, 3, 4, 5)))
_CLUBS: Final = Habits(9, 22, frozenset(range(6)), closed_in_holidays=True)
_ALWAYS: Final = Habits(0, 24, frozenset(range(7)))

_LARGE_M2: Final = 900  # schools whose air is watched; the others know how warm it is


class _School(NamedTuple):
    """A school: its name, floor, trend of energy, heated by gas or by electricity, what is particular.

    `in_room` is when its classroom is used.
    """

    insee: str
    name: str
    area_m2: float
    trend: float
    gas: bool = False
    room: Room = Room(24)
    water: Water = Water(190, 0, -0.05)
    in_room: Habits = _LESSONS


_SCHOOLS: Final = (
    _School("80212", "École du Centre", 1450, -0.12, gas=True, water=Water(260, 0, 0.02, 62, timedelta(days=6))),
    _School("80799", "École Victoria", 1100, -0.08, gas=True),
    _School("80338", "École des Tilleuls", 620, 0.03),
    _School("80507", "École du Village", 480, -0.05),
    _School("80016", "École de la Gare", 1800, -0.02, gas=True, room=Room(31, 165, 2.0), in_room=_LESSONS_AND_LEISURE),
    _School("80136", "École des Berges", 700, -0.15),
    _School("80523", "École du Moulin", 540, 0.06),
    _School("80570", "École du Parc", 1300, -0.09, gas=True),
    _School("80010", "École des Marronniers", 900, -0.04),
    _School("80318", "École des Remparts", 1150, -0.18, gas=True),
    _School("80793", "École de la Place", 760, -0.01),
    _School("80622", "École de la Collégiale", 520, -0.07),
)


def _school(story: Story, made: _School, site: Site) -> Iterator[Placed]:
    heat = 0.9 * made.area_m2
    yield devices.electricity(
        story,
        site,
        _LESSONS,
        Energy(0.5 * made.area_m2, 7.0 * made.area_m2, 0.0 if made.gas else 0.4 * heat, made.trend),
    )
    if made.gas:
        yield devices.gas(story, site, _LESSONS, heat, made.trend)
    yield devices.water(story, site, _LESSONS, made.water)
    if made.area_m2 >= _LARGE_M2:
        yield devices.air(story, "Air, classe de CE1", made.in_room, made.room)
    else:
        yield devices.warmth(story, "Température, classe de CE1", made.in_room, made.room)


# Town halls: INSEE code, floor, trend.
_TOWN_HALLS: Final = (
    ("80212", 820, -0.06),
    ("80799", 640, -0.1),
    ("80338", 260, 0.02),
    ("80507", 190, -0.03),
    ("80016", 1400, -0.08),
    ("80136", 240, 0.09),
    ("80523", 220, -0.02),
    ("80570", 560, -0.05),
    ("80010", 480, -0.12),
    ("80318", 430, -0.04),
    ("80793", 310, -0.06),
    ("80622", 280, 0.01),
)


def _town_hall(story: Story, site: Site, trend: float) -> Iterator[Placed]:
    yield devices.electricity(
        story, site, _OFFICE, Energy(0.9 * site.area_m2, 6.0 * site.area_m2, 0.55 * site.area_m2, trend)
    )
    yield devices.climate(story, "Air, accueil", _OFFICE, Room(4, 120, warm_c=20.5))


# Halls and gymnasiums: INSEE code, name, kind, floor, trend.
_HALLS: Final = (
    ("80212", "Gymnase", "gym", 1600, -0.03),
    ("80212", "Médiathèque", "library", 700, -0.2),
    ("80799", "Gymnase", "gym", 1500, 0.04),
    ("80799", "Salle des fêtes", "hall", 520, -0.06),
    ("80338", "Salle polyvalente", "hall", 430, -0.02),
    ("80016", "Piscine", "pool", 2200, -0.07),
    ("80016", "Médiathèque", "library", 1100, -0.11),
    ("80136", "Salle des fêtes", "hall", 380, 0.05),
    ("80570", "Salle des fêtes", "hall", 600, -0.09),
    ("80318", "Gymnase", "gym", 1350, -0.01),
)


def _hall(story: Story, site: Site, trend: float) -> Iterator[Placed]:
    pool = site.kind == "pool"
    habits = _OFFICE if site.kind == "library" else _CLUBS if site.kind in ("gym", "pool") else _EVENINGS
    area = site.area_m2
    yield devices.electricity(
        story, site, habits, Energy((9.0 if pool else 0.6) * area, 8.0 * area, (0.1 if pool else 0.5) * area, trend)
    )
    if pool:
        yield devices.gas(story, site, _ALWAYS, 2.6 * area, trend)
    yield devices.water(story, site, habits, Water(1900 if pool else 120, 0, trend / 2))
    warmth = devices.warmth(story, "Température, grande salle", habits, Room(12, 900, warm_c=18.0, cool_c=13.0))
    if (site.insee, site.kind) == ("80799", "gym"):
        stopped = story.now - timedelta(days=3)
        warmth = warmth._replace(sense=senses.frozen(warmth.sense, stopped))
    yield warmth


def _water_network(story: Story, insee: str, site: Site) -> Iterator[Placed]:
    if site.kind == "pumping_station":
        supplied = Water(5200 if insee == "80507" else 9800, 1900, 0.03)
        meter = devices.water(story, site, _ALWAYS, supplied)
        yield meter._replace(point="Volume mis en distribution", use=DISTRIBUTION)
        yield devices.electricity(story, site, _ALWAYS, Energy(2600, 900, 0.0, 0.02))
    else:
        yield Placed("dragino-dds75-lb", "Niveau de la cuve", "distance", RARELY, senses.level(1.4, 0.7, 21_600))


def _first_commune(story: Story) -> Iterator[tuple[str, str, Placed]]:
    """Yield (site, its kind, device) of what only the first commune has."""
    rack = buildings.energy_index(story, _LESSONS, Energy(120, 70), "rack", 8.1e5)
    heater = buildings.energy_index(story, _OFFICE, Energy(15, 60, 55), "archives", 2.4e6)
    school, stadium, bridge = "École du Centre", "Stade municipal", "Pont de la Somme"
    yield school, "school", devices.warmth(story, "Température, classe de CM2", _LESSONS, Room(24))
    yield school, "school", Placed("multitech-rbs301-dws", "Porte de la chaufferie", "open", RARELY, senses.door)
    sockets: tuple[tuple[str, str, str, Sense, Use], ...] = (
        (school, "school", "Baie informatique", senses.socket(story, _LESSONS, rack), "other"),
        ("Mairie", "town_hall", "Radiateur, archives", senses.socket(story, _OFFICE, heater), "heating"),
    )
    for name, kind, point, sense, use in sockets:
        yield (
            name,
            kind,
            Placed("milesight-ws523", point, "active_energy_import", RARELY, sense, use=use, part_of=GENERAL),
        )
    yield "Mairie", "town_hall", devices.air(story, "Air, salle du conseil", _OFFICE, Room(9, 160, 2.5))
    yield (
        "Mairie",
        "town_hall",
        Placed("makerfabs-soil-moisture", "Sol, massif de la mairie", "soil_moisture_raw", RARELY, senses.flower_bed),
    )
    yield stadium, "stadium", Placed("multitech-rbs305-ath", "Air extérieur", "temperature", HOURLY, senses.outdoors)
    yield stadium, "stadium", Placed("dragino-lse01", "Sol, terrain d'honneur", "soil_moisture", RARELY, senses.soil)
    yield (
        bridge,
        "street",
        Placed(
            "dragino-dds75-lb", "Niveau de la Somme, sous le pont", "distance", HOURLY, senses.level(2.6, 0.5, 86_400)
        ),
    )


# INSEE code, name, kind.
_NETWORK: Final = (
    ("80212", "Château d'eau", "reservoir"),
    ("80507", "Station de pompage", "pumping_station"),
    ("80010", "Réservoir", "reservoir"),
    ("80793", "Station de pompage", "pumping_station"),
)


def _all(story: Story, found: Mapping[str, Commune]) -> Iterator[tuple[Site, Placed]]:
    sites: dict[tuple[str, str], Site] = {}

    def site(insee: str, name: str, kind: str, area_m2: float = 0.0) -> Site:
        """Return the site of that name: places follow each other around the middle of their commune."""
        turn = len(sites) * 2.4
        away_m = 140 + 60 * (len(sites) % 7)
        position = places.near(found[insee], away_m * math.sin(turn), away_m * math.cos(turn), 60.0)
        return sites.setdefault((insee, name), Site(insee, name, kind, position, area_m2))

    for school in _SCHOOLS:
        place = site(school.insee, school.name, "school", school.area_m2)
        yield from ((place, one) for one in _school(story, school, place))
    for insee, area_m2, trend in _TOWN_HALLS:
        place = site(insee, "Mairie", "town_hall", area_m2)
        yield from ((place, one) for one in _town_hall(story, place, trend))
    for insee, name, kind, area_m2, trend in _HALLS:
        place = site(insee, name, kind, area_m2)
        yield from ((place, one) for one in _hall(story, place, trend))
    for insee, name, kind in _NETWORK:
        place = site(insee, name, kind)
        yield from ((place, one) for one in _water_network(story, insee, place))
    for name, kind, one in _first_commune(story):
        yield site(places.FIRST, name, kind), one


def fleet(story: Story, found: Mapping[str, Commune]) -> tuple[tuple[DemoDevice, Sense], ...]:
    """Return every device and what it senses, in a fixed order."""
    return tuple(
        (
            DemoDevice(
                dev_eui=f"025a4d0000000{number:03x}",  # 02: a locally administered EUI-64, no maker's
                name=f"{PROFILES[one.model]} - {site.name} - {one.point}",
                model=one.model,
                site=site,
                point=one.point,
                quantity=one.quantity,
                every=one.every,
                parameters=one.parameters,
                use=one.use,
                part_of=one.part_of,
            ),
            one.sense,
        )
        for number, (site, one) in enumerate(_all(story, found), start=1)
    )
