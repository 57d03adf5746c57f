"""Where the demonstration takes place: real communes of the Somme, invented buildings, the antennas that hear them.

Communes, their EPCI and their positions are those of simulators/territories/somme.csv (Licence Ouverte). What is
measured there is invented.
"""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.events import Position
from simulators import territories
from simulators.communes import Commune, read_communes

# INSEE code -> the tenant's slug.
COMMUNES: Final = {
    "80212": "corbie",
    "80799": "villers-bretonneux",
    "80338": "fouilloy",
    "80507": "marcelcave",
    "80016": "albert",
    "80136": "bray-sur-somme",
    "80523": "meaulte",
    "80570": "moreuil",
    "80010": "ailly-sur-noye",
    "80318": "flixecourt",
    "80793": "vignacourt",
    "80622": "picquigny",
}
FIRST: Final = "80212"


class Site(NamedTuple):
    """A place of a commune. `area_m2` is heated floor; 0 where there is none."""

    insee: str
    name: str
    kind: str
    position: Position
    area_m2: float = 0.0


class Gateway(NamedTuple):
    """A relay antenna."""

    gateway_id: str
    name: str
    position: Position


def communes() -> Mapping[str, Commune]:
    """Return the communes by INSEE code. Raises ConfigurationError if the territory lacks one."""
    return {one.insee: one for one in read_communes(territories.shipped()["somme"]) if one.insee in COMMUNES}


def near(commune: Commune, north_m: float, east_m: float, altitude_m: float) -> Position:
    """Return a position so many metres from a commune's middle."""
    north_deg = north_m / 111_320
    east_deg = east_m / 111_320 / math.cos(math.radians(commune.latitude))
    return Position(round(commune.latitude + north_deg, 5), round(commune.longitude + east_deg, 5), altitude_m)


# INSEE code of the commune, name, metres north and east of its middle, altitude of the antenna.
_ANTENNAS: Final = (
    ("80212", "Château d'eau de Corbie", 650, -420, 112.0),
    ("80799", "Silo de Villers-Bretonneux", -300, 800, 131.0),
    ("80016", "Basilique d'Albert", 60, 40, 139.0),
    ("80570", "Clocher de Moreuil", 30, 90, 98.0),
    ("80010", "Château d'eau d'Ailly-sur-Noye", 900, 500, 154.0),
    ("80318", "Réservoir de Flixecourt", -500, 350, 121.0),
)
DEAD: Final = 4  # of these, the one whose power failed


def gateways(found: Mapping[str, Commune]) -> tuple[Gateway, ...]:
    """Return the antennas, in a fixed order."""
    return tuple(
        Gateway(f"025a4dfffe{number:06x}", name, near(found[insee], north_m, east_m, altitude_m))
        for number, (insee, name, north_m, east_m, altitude_m) in enumerate(_ANTENNAS, start=1)
    )
