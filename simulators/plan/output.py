"""Plans for maps: GeoJSON cells and antennas, PNG pictures. Nothing but the standard library draws."""

import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulators.plan.coverage import Coverage
from simulators.plan.placement import Plan
from simulators.plan.territory import METRES_A_DEGREE, Grid

_STEPS: Final = 256


def cells_geojson(grid: Grid, coverage: Coverage) -> str:
    """Return a FeatureCollection of square cells with their chances, rounded to a thousandth."""
    middles = grid.degrees()
    half_lat = grid.cell_m / 2 / METRES_A_DEGREE
    half_lon = half_lat / np.cos(np.radians(grid.origin[0]))
    features = []
    for at, (latitude, longitude) in enumerate(middles):
        west, east = round(longitude - half_lon, 6), round(longitude + half_lon, 6)
        south, north = round(latitude - half_lat, 6), round(latitude + half_lat, 6)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        said = {
            "heard_sf7": round(float(coverage.heard[0, at]), 3),
            "heard_sf12": round(float(coverage.heard[5, at]), 3),
            "redundancy": round(float(coverage.redundancy[at]), 2),
            "margin_db": round(float(coverage.margin_db[at]), 1),
        }
        features.append({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": said})
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))


def antennas_geojson(plan: Plan) -> str:
    """Return a FeatureCollection of the chosen antennas, first the one that adds most."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [step.candidate.longitude, step.candidate.latitude]},
            "properties": {
                "name": step.candidate.name,
                "rank": rank,
                "adds": step.adds,
                "lost_without": step.lost_without,
            },
        }
        for rank, step in enumerate(plan.steps, start=1)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))


def picture(grid: Grid, values: npt.NDArray[Any], *, low: float = 0.0, high: float = 1.0) -> bytes:
    """Return a PNG of one value a cell, one pixel a cell, north up: dark is low, light is high, outside is clear."""
    column = np.rint((grid.xy_m[:, 0] - grid.xy_m[:, 0].min()) / grid.cell_m).astype(int)
    row = np.rint((grid.xy_m[:, 1].max() - grid.xy_m[:, 1]) / grid.cell_m).astype(int)
    shade = np.clip((values - low) / (high - low) * (_STEPS - 1), 0, _STEPS - 1).astype(np.uint8)
    image = np.zeros((row.max() + 1, column.max() + 1, 2), dtype=np.uint8)
    image[row, column, 0] = shade
    image[row, column, 1] = 255
    return _png(image)


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return grey with alpha (colour type 4), 8 bits: the PNG specification, second edition."""
    height, width = image.shape[:2]
    lines = b"".join(b"\0" + image[line].tobytes() for line in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 4, 0, 0, 0)
    chunks: Sequence[tuple[bytes, bytes]] = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
