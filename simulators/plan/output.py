"""Plans for maps: GeoJSON of cells, communes and antennas. Longitudes and latitudes are WGS 84, to six digits."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.communes import Commune
from simulators.plan.territory import Candidate, Grid
from simulators.radio.elevation import METRES_A_DEGREE


def _collection(features: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps(
        {"type": "FeatureCollection", "features": list(features)}, separators=(",", ":"), ensure_ascii=False
    )


def _point(latitude: float, longitude: float, said: Mapping[str, Any]) -> dict[str, Any]:
    where = {"type": "Point", "coordinates": [longitude, latitude]}
    return {"type": "Feature", "geometry": where, "properties": dict(said)}


def cells_geojson(grid: Grid, values: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return square cells with their values, rounded to a thousandth."""
    middles = grid.degrees()
    half_lat = grid.cell_m / 2 / METRES_A_DEGREE
    half_lon = half_lat / np.cos(np.radians(grid.origin[0]))
    columns = {name: np.round(value.astype(float), 3).tolist() for name, value in values.items()}
    features = []
    for at, (latitude, longitude) in enumerate(middles.tolist()):
        west, east = round(longitude - half_lon, 6), round(longitude + half_lon, 6)
        south, north = round(latitude - half_lat, 6), round(latitude + half_lat, 6)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {name: column[at] for name, column in columns.items()},
            }
        )
    return _collection(features)


def antennas_geojson(antennas: Sequence[Candidate], said: Sequence[Mapping[str, Any]]) -> str:
    """Return the antennas, each with what is said of it."""
    return _collection(_point(one.latitude, one.longitude, about) for one, about in zip(antennas, said, strict=True))


def communes_geojson(communes: Sequence[Commune], said: Sequence[Mapping[str, Any]]) -> str:
    """Return the communes' middles, each with what is said of it."""
    return _collection(_point(one.latitude, one.longitude, about) for one, about in zip(communes, said, strict=True))
