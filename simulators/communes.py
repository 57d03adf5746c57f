"""Communes of a territory, from CSV: where they are, how large, who lives there."""

import csv
import math
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import ConfigurationError

_NEEDED: Final = ("name", "latitude", "longitude", "population")
_REACH_M: Final = 2000.0


class Commune(NamedTuple):
    """A commune: its middle (WGS 84), its people, how far it reaches (the radius of a disc of its area)."""

    name: str
    latitude: float
    longitude: float
    population: float
    reach_m: float = _REACH_M
    insee: str = ""
    epci: str = ""


def read_communes(path: Path) -> list[Commune]:
    """Read a CSV of name, latitude, longitude, population, and reach_m or area_km2, insee, epci if there are.

    Raises ConfigurationError.
    """
    communes = []
    for row in rows(path, _NEEDED):
        if row.get("area_km2"):
            reach_m = 1000 * math.sqrt(number(path, row, "area_km2") / math.pi)
        else:
            reach_m = number(path, row, "reach_m", _REACH_M)
        latitude, longitude, people = (number(path, row, name) for name in _NEEDED[1:])
        communes.append(
            Commune(row["name"], latitude, longitude, people, reach_m, row.get("insee") or "", row.get("epci") or "")
        )
    return communes


def rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a CSV that has these columns and at least one row; raise ConfigurationError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if not found or not set(needed) <= found[0].keys():
        raise ConfigurationError(f"{path} has the columns {', '.join(needed)} and at least one row")
    return found


def number(path: Path, row: dict[str, str], name: str, otherwise: float | None = None) -> float:
    """Return a cell's number, or `otherwise` for an empty one; raise ConfigurationError, naming the row."""
    said = row.get(name)
    if not said and otherwise is not None:
        return otherwise
    try:
        return float(said or "")
    except ValueError as error:
        raise ConfigurationError(f"{path}, {row.get('name', '?')}: {name} is {said!r}") from error
