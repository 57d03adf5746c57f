"""What hills change: the loss over the worst edge between two places, and how far an antenna stands above its land.

The measured path losses hold for land as it lies on average. So what is added for a path is the loss over its worst
edge less that over a plain of the same length, the earth's curve in both: nothing on a plain, more behind a hill, less
than nothing from a hill that sees further than a plain would let it.

Sources: one knife edge and its loss J(v), Recommendation ITU-R P.526-15, 4.1 (26), (31), the earth at 4/3 of its
radius; Okumura's effective height: above the mean ground from 3 to 15 km around, which Okumura-Hata's lines take.
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulators.radio.air import Floats, Singles
from simulators.radio.elevation import Ground
from simulators.radio.jit import compiled, parallel, prange

_EARTH_M: Final = 6_371_000.0 * 4 / 3
_WAVE_M: Final = 299_792_458 / 868.1e6
_MOST_STEPS: Final = 64
_NO_LOSS: Final = -0.78
_RINGS_M: Final = (3_000.0, 15_000.0)
_HATA_M: Final = (30.0, 200.0)


@compiled
def edge_db(v: float) -> float:
    """Return the loss over a knife edge of this v (it reaches above the line of sight where v is positive)."""
    if v <= _NO_LOSS:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((v - 0.1) ** 2 + 1.0) + v - 0.1)


@compiled
def height_at(heights: Singles, west_m: float, south_m: float, step_m: float, x_m: float, y_m: float) -> float:  # noqa: PLR0917
    """Return the ground's height, between the lattice's points; beyond its border, that of the border."""
    lines, columns = heights.shape
    row = min(max((y_m - south_m) / step_m, 0.0), lines - 1.0)
    column = min(max((x_m - west_m) / step_m, 0.0), columns - 1.0)
    low, left = min(int(row), lines - 2), min(int(column), columns - 2)
    up, across = row - low, column - left
    lower = heights[low, left] * (1.0 - across) + heights[low, left + 1] * across
    upper = heights[low + 1, left] * (1.0 - across) + heights[low + 1, left + 1] * across
    height_m: float = lower * (1.0 - up) + upper * up
    return height_m


@compiled
def _path_db(  # noqa: PLR0917 - compiled: numbers, not objects
    heights: Singles, west_m: float, south_m: float, step_m: float, x_m: float, y_m: float, mast_m: float,
    to_x_m: float, to_y_m: float, to_mast_m: float,
) -> float:  # fmt: skip
    """Return what one path's ground adds, dB."""
    east, north = to_x_m - x_m, to_y_m - y_m
    long_m = math.hypot(east, north)
    steps = min(_MOST_STEPS, int(long_m / step_m))
    if steps < 2:
        return 0.0
    here = height_at(heights, west_m, south_m, step_m, x_m, y_m) + mast_m
    there = height_at(heights, west_m, south_m, step_m, to_x_m, to_y_m) + to_mast_m
    worst, plain = -1e9, -1e9
    for step in range(1, steps):
        part = step / steps
        near_m, far_m = part * long_m, (1.0 - part) * long_m
        bulge_m = near_m * far_m / (2.0 * _EARTH_M)
        sharp = math.sqrt(2.0 * long_m / (_WAVE_M * near_m * far_m))
        ground_m = height_at(heights, west_m, south_m, step_m, x_m + part * east, y_m + part * north)
        worst = max(worst, (ground_m + bulge_m - here - part * (there - here)) * sharp)
        plain = max(plain, (bulge_m - mast_m - part * (to_mast_m - mast_m)) * sharp)
    return edge_db(worst) - edge_db(plain)


@parallel
def _paths(  # noqa: PLR0917
    heights: Singles, west_m: float, south_m: float, step_m: float, masts_xy_m: Floats, mast_m: Floats,
    places_xy_m: Floats, place_mast_m: float, result: Singles,
) -> None:  # fmt: skip
    for mast in prange(len(masts_xy_m)):
        x_m, y_m = masts_xy_m[mast, 0], masts_xy_m[mast, 1]
        for place in range(len(places_xy_m)):
            result[mast, place] = _path_db(
                heights, west_m, south_m, step_m, x_m, y_m, mast_m[mast], places_xy_m[place, 0], places_xy_m[place, 1],
                place_mast_m,
            )  # fmt: skip


def losses_db(
    ground: Ground, masts_xy_m: Floats, mast_m: npt.NDArray[Any], places_xy_m: Floats, place_mast_m: float
) -> Singles:
    """Return what the ground adds between each mast and each place, dB, shape (masts, places)."""
    result = np.empty((len(masts_xy_m), len(places_xy_m)), dtype=np.float32)
    _paths(
        ground.height_m, ground.west_m, ground.south_m, ground.step_m, np.ascontiguousarray(masts_xy_m),
        mast_m.astype(np.float64), np.ascontiguousarray(places_xy_m), place_mast_m, result,
    )  # fmt: skip
    return result


def effective_heights_m(ground: Ground, masts_xy_m: Floats, mast_m: npt.NDArray[Any]) -> list[float]:
    """Return how far each antenna stands above the mean ground from 3 to 15 km around.

    Held within 30 to 200 m, where Okumura-Hata is valid. Land beyond the lattice does not count.
    """
    lines, columns = ground.height_m.shape
    norths, easts = (
        ground.south_m + ground.step_m * np.arange(lines),
        ground.west_m + ground.step_m * np.arange(columns),
    )
    found = []
    for (x_m, y_m), above_m in zip(masts_xy_m.tolist(), mast_m.tolist(), strict=True):
        rows, cols = np.abs(norths - y_m) <= _RINGS_M[1], np.abs(easts - x_m) <= _RINGS_M[1]
        apart = np.hypot(easts[cols][None, :] - x_m, norths[rows][:, None] - y_m)
        around = ground.height_m[np.ix_(rows, cols)][(apart >= _RINGS_M[0]) & (apart <= _RINGS_M[1])]
        own = height_at(ground.height_m, ground.west_m, ground.south_m, ground.step_m, x_m, y_m)
        mean = float(around.mean()) if around.size else own
        found.append(min(max(own + above_m - mean, _HATA_M[0]), _HATA_M[1]))
    return found
