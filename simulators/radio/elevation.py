"""Reads how high the ground is, without a GIS library, and lays it out in metres about a place.

Two forms are read:

- `.asc`, Esri's ASCII grid, or a folder of such tiles side by side: what IGN delivers as BD ALTI and RGE ALTI. In
  Lambert-93, or in degrees where the corner is one of degrees. NODATA counts as the level of the sea.
- `.csv` with `latitude,longitude,elevation_m`, one row for each point of a regular lattice.

Lambert-93: Lambert's conformal conic of the parallels 44 and 49 degrees on GRS 80 (IGN, NT/G 71).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import ConfigurationError
from simulators.radio.air import Floats, Singles
from simulators.radio.scenario import number, rows

METRES_A_DEGREE: Final = 111_320.0
_MOST_POINTS: Final = 200_000_000
_MOST_ACROSS: Final = 4000
_HEADER: Final = ("ncols", "nrows", "cellsize")

# GRS 80, and Lambert-93's parallels, origin and false origin.
_A_M: Final = 6_378_137.0
_E: Final = math.sqrt(0.006_694_380_022_90)
_PARALLELS: Final = (math.radians(44), math.radians(49))
_ORIGIN: Final = (math.radians(46.5), math.radians(3))
_FALSE_M: Final = (700_000.0, 6_600_000.0)


class Elevation(NamedTuple):
    """A lattice of heights, rows from south to north; `west` and `south` are its first point's.

    Units are Lambert-93's metres where `projected`, else degrees of longitude and latitude.
    """

    west: float
    south: float
    step: float
    height_m: Singles
    projected: bool


class Ground(NamedTuple):
    """Heights on a lattice in metres east and north of a place, rows from south to north."""

    west_m: float
    south_m: float
    step_m: float
    height_m: Singles


def _isometric(latitude: Any) -> Any:
    """Return the isometric latitude, radians."""
    sine = np.sin(latitude)
    return np.arctanh(sine) - _E * np.arctanh(_E * sine)


def _parallel_m(latitude: float) -> float:
    """Return the radius of a parallel."""
    return _A_M * math.cos(latitude) / math.sqrt(1 - (_E * math.sin(latitude)) ** 2)


def lambert_93(latitude: Any, longitude: Any) -> tuple[Any, Any]:
    """Return Lambert-93's metres east and north of degrees (RGF93, WGS 84 to less than a metre)."""
    first, second = _PARALLELS
    n = math.log(_parallel_m(second) / _parallel_m(first)) / (_isometric(first) - _isometric(second))
    scale = _parallel_m(first) / n * math.exp(n * _isometric(first))
    radius, angle = scale * np.exp(-n * _isometric(np.radians(latitude))), n * (np.radians(longitude) - _ORIGIN[1])
    pole = _FALSE_M[1] + scale * math.exp(-n * _isometric(_ORIGIN[0]))
    return _FALSE_M[0] + radius * np.sin(angle), pole - radius * np.cos(angle)


def read(path: Path) -> Elevation:
    """Read a file, or a folder of tiles; raise ConfigurationError if it will not do."""
    if path.suffix == ".csv":
        return _csv(path)
    tiles = sorted(path.glob("*.asc")) if path.is_dir() else [path]
    if not tiles:
        raise ConfigurationError(f"{path} holds no .asc file")
    return _whole(path, [_tile(one) for one in tiles])


def _tile(path: Path) -> Elevation:
    """Read one ASCII grid; its corner is its outermost cell's, or that cell's middle."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        pairs = [line.split() for line in lines[:6]]
        told = {one[0].lower(): float(one[1]) for one in pairs if len(one) == 2 and one[0][0].isalpha()}
        columns, count, step = (told[name] for name in _HEADER)
        half = step / 2 if "xllcorner" in told else 0.0
        west, south = (told.get(f"{axis}llcorner", told.get(f"{axis}llcenter", math.nan)) for axis in "xy")
        values = np.fromstring(" ".join(lines[len(told) :]), dtype=np.float32, sep=" ")
        heights = values.reshape(int(count), int(columns))[::-1]
    except (OSError, UnicodeDecodeError, IndexError, KeyError, ValueError, DeprecationWarning) as error:
        raise ConfigurationError(f"{path} is no ASCII grid (ncols, nrows, xllcorner, …): {error}") from error
    if not (step > 0 and math.isfinite(west) and math.isfinite(south)):
        raise ConfigurationError(f"{path}: its corner (xllcorner, yllcorner) or its cellsize is missing")
    sea = np.where(heights == np.float32(told.get("nodata_value", -99999.0)), np.float32(0), heights)
    return Elevation(west + half, south + half, step, sea, projected=abs(west) > 180 or abs(south) > 90)


def _whole(path: Path, tiles: Sequence[Elevation]) -> Elevation:
    """Put tiles side by side; what none covers is unknown (NaN)."""
    first = tiles[0]
    west, south = min(one.west for one in tiles), min(one.south for one in tiles)
    places = [(round((one.south - south) / first.step), round((one.west - west) / first.step)) for one in tiles]
    if any(one.step != first.step or one.projected != first.projected for one in tiles):
        raise ConfigurationError(f"{path}: its tiles have not the same cellsize or coordinates")
    shape = tuple(
        max(place[axis] + one.height_m.shape[axis] for place, one in zip(places, tiles, strict=True)) for axis in (0, 1)
    )
    if math.prod(shape) > _MOST_POINTS:
        raise ConfigurationError(
            f"{path}: {math.prod(shape):,} points are too many: take a coarser grid, or fewer tiles"
        )
    heights = np.full(shape, np.nan, dtype=np.float32)
    for (row, column), one in zip(places, tiles, strict=True):
        heights[row : row + one.height_m.shape[0], column : column + one.height_m.shape[1]] = one.height_m
    return Elevation(west, south, first.step, heights, first.projected)


def _csv(path: Path) -> Elevation:
    found = rows(path)
    columns = [
        np.array([number(path, row, name) for row in found]) for name in ("latitude", "longitude", "elevation_m")
    ]
    latitudes, row = np.unique(columns[0], return_inverse=True)
    longitudes, column = np.unique(columns[1], return_inverse=True)
    steps = np.concatenate((np.diff(latitudes), np.diff(longitudes)))
    lattice = len(found) == len(latitudes) * len(longitudes) and min(len(latitudes), len(longitudes)) > 1
    if not lattice or not np.allclose(steps, steps[0], rtol=0.01):
        raise ConfigurationError(f"{path} is no square lattice of latitudes and longitudes, one row a point")
    heights = np.full((len(latitudes), len(longitudes)), np.nan, dtype=np.float32)
    heights[row, column] = columns[2]
    step = float((latitudes[-1] - latitudes[0]) / (len(latitudes) - 1))
    return Elevation(float(longitudes[0]), float(latitudes[0]), step, heights, projected=False)


def at(elevation: Elevation, latitude: Floats, longitude: Floats) -> Floats:
    """Return heights between the lattice's points (bilinear), NaN where nothing is known."""
    east, north = lambert_93(latitude, longitude) if elevation.projected else (longitude, latitude)
    column, row = (east - elevation.west) / elevation.step, (north - elevation.south) / elevation.step
    lines, columns = elevation.height_m.shape
    # The outermost cells reach half a step beyond their middles.
    inside = (row >= -0.5) & (row <= lines - 0.5) & (column >= -0.5) & (column <= columns - 0.5)
    row, column = np.clip(row, 0, lines - 1), np.clip(column, 0, columns - 1)
    low = np.minimum(row.astype(np.int64), max(0, lines - 2))
    left = np.minimum(column.astype(np.int64), max(0, columns - 2))
    up, across = row - low, column - left
    high, right = np.minimum(low + 1, lines - 1), np.minimum(left + 1, columns - 1)
    heights = elevation.height_m
    lower = heights[low, left] * (1 - across) + heights[low, right] * across
    upper = heights[high, left] * (1 - across) + heights[high, right] * across
    return np.asarray(np.where(inside, lower * (1 - up) + upper * up, np.nan))


def about(
    elevation: Elevation, origin: tuple[float, float], places_m: npt.NDArray[Any], *, name: str = "the elevation"
) -> Ground:
    """Lay the ground out in metres about `origin` (latitude, longitude), as far as `places_m` (n, 2) reach.

    Raises ConfigurationError where the height of a place is not known. Between places, what is not known is sea.
    """
    narrow = METRES_A_DEGREE * math.cos(math.radians(origin[0]))
    native_m = elevation.step if elevation.projected else elevation.step * narrow
    low, high = places_m.min(axis=0) - native_m, places_m.max(axis=0) + native_m
    step_m = max(native_m, float((high - low).max()) / _MOST_ACROSS)
    easts, norths = (np.arange(start, end + step_m, step_m) for start, end in zip(low, high, strict=True))
    unknown = np.isnan(at(elevation, origin[0] + places_m[:, 1] / METRES_A_DEGREE, origin[1] + places_m[:, 0] / narrow))
    if unknown.any():
        raise ConfigurationError(f"{name} does not cover {int(unknown.sum())} of {len(unknown)} places of the scenario")
    heights = [at(elevation, np.full(len(easts), origin[0] + north / METRES_A_DEGREE), origin[1] + easts / narrow)
               for north in norths]  # fmt: skip
    return Ground(float(low[0]), float(low[1]), step_m, np.nan_to_num(np.array(heights, dtype=np.float32)))
