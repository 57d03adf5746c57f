"""The land to be covered: communes, a grid of cells over them, places where an antenna could stand."""

import csv
import math
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import ConfigurationError

METRES_A_DEGREE: Final = 111_320.0
_BLOCK: Final = 4096

Floats = npt.NDArray[np.float64]


class Commune(NamedTuple):
    """A commune: its middle, its people, how far it reaches (about the radius of a disc of its area)."""

    name: str
    latitude: float
    longitude: float
    population: float
    reach_m: float = 2000.0


class Candidate(NamedTuple):
    """Where an antenna stands or could: a town hall, a water tower. `height_m` above the ground."""

    name: str
    latitude: float
    longitude: float
    height_m: float = 30.0
    antenna_dbi: float = 6.0


class Grid(NamedTuple):
    """Cells over the communes: metres east and north of `origin`, and whose they are.

    `weight` spreads each commune's population evenly over its cells.
    """

    origin: tuple[float, float]
    cell_m: float
    xy_m: Floats
    commune: npt.NDArray[np.int64]
    weight: Floats

    def degrees(self) -> Floats:
        """Return latitude and longitude of each cell's middle."""
        east = self.xy_m[:, 0] / METRES_A_DEGREE / math.cos(math.radians(self.origin[0]))
        return np.column_stack((self.origin[0] + self.xy_m[:, 1] / METRES_A_DEGREE, self.origin[1] + east))


def metres(latitudes: Any, longitudes: Any, origin: tuple[float, float]) -> Floats:
    """Return metres east and north of the origin: right to a part in a thousand over a département."""
    east = (np.asarray(longitudes) - origin[1]) * METRES_A_DEGREE * math.cos(math.radians(origin[0]))
    north = (np.asarray(latitudes) - origin[0]) * METRES_A_DEGREE
    return np.column_stack((east, north))


def grid(communes: list[Commune], cell_m: float = 500.0) -> Grid:
    """Cut the communes' land into cells; each belongs to the nearest commune that reaches it."""
    if not communes or cell_m <= 0:
        raise ConfigurationError("a grid needs communes and a positive cell")
    latitudes, longitudes = [one.latitude for one in communes], [one.longitude for one in communes]
    origin = (float(np.mean(latitudes)), float(np.mean(longitudes)))
    middles, reaches = metres(latitudes, longitudes, origin), np.array([one.reach_m for one in communes])
    low, high = (middles - reaches[:, None]).min(axis=0), (middles + reaches[:, None]).max(axis=0)
    columns, rows = (np.arange(start + cell_m / 2, end, cell_m) for start, end in zip(low, high, strict=True))
    cells = np.column_stack([axis.ravel() for axis in np.meshgrid(columns, rows)])
    owner = np.concatenate([_owners(cells[at : at + _BLOCK], middles, reaches) for at in range(0, len(cells), _BLOCK)])
    inside = owner >= 0
    owner = owner[inside]
    shared = np.bincount(owner, minlength=len(communes))
    weight = np.array([one.population for one in communes])[owner] / shared[owner]
    return Grid(origin, cell_m, cells[inside], owner, weight)


def _owners(cells: Floats, middles: Floats, reaches: Floats) -> npt.NDArray[np.int64]:
    """Return the nearest commune of each cell, measured in reaches; -1 where none reaches."""
    apart = np.hypot(cells[:, None, 0] - middles[None, :, 0], cells[:, None, 1] - middles[None, :, 1]) / reaches
    nearest = apart.argmin(axis=1)
    return np.where(apart[np.arange(len(cells)), nearest] <= 1.0, nearest, -1)


def read_communes(path: Path) -> list[Commune]:
    """Read a CSV of name, latitude, longitude, population, and reach_m or area_km2; raise ConfigurationError."""
    communes = []
    for row in _rows(path, ("name", "latitude", "longitude", "population")):
        if row.get("area_km2"):
            reach_m = 1000 * math.sqrt(_number(path, row, "area_km2") / math.pi)
        else:
            reach_m = _number(path, row, "reach_m", 2000.0)
        latitude, longitude, people = (_number(path, row, name) for name in ("latitude", "longitude", "population"))
        communes.append(Commune(row["name"], latitude, longitude, people, reach_m))
    return communes


def read_candidates(path: Path) -> list[Candidate]:
    """Read a CSV of name, latitude, longitude and, optionally, height_m, antenna_dbi; raise ConfigurationError."""
    return [
        Candidate(
            row["name"],
            _number(path, row, "latitude"),
            _number(path, row, "longitude"),
            _number(path, row, "height_m", 30.0),
            _number(path, row, "antenna_dbi", 6.0),
        )
        for row in _rows(path, ("name", "latitude", "longitude"))
    ]


def _rows(path: Path, needed: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from error
    if not rows or not set(needed) <= rows[0].keys():
        raise ConfigurationError(f"{path} has the columns {', '.join(needed)} and at least one row")
    return rows


def _number(path: Path, row: dict[str, str], name: str, otherwise: float | None = None) -> float:
    said = row.get(name)
    try:
        return float(said) if said or otherwise is None else otherwise  # type: ignore[arg-type]  # None is no number either
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}, {row.get('name', '?')}: {name} is {said!r}") from error
