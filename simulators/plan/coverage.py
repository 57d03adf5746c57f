"""How well a set of antennas is likely to be heard from each cell, and in each commune.

Shadowing is a chance, independent from antenna to antenna: a cell whose mean margin at one antenna is m dB hears it
with probability Phi(m / sigma). Without the ground's elevation a plain is what is assumed, and said.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.communes import Commune
from simulators.plan.territory import Candidate, Grid, metres
from simulators.radio import propagation, thresholds
from simulators.radio.air import Floats, Singles
from simulators.radio.jit import compiled, parallel, prange
from simulators.radio.propagation import Line

_FAR: Final = 6.0  # standard deviations
_STEPS: Final = 4096
_WORST: Final = 3
_NOTABLE: Final = 0.05
CALIBRATED: Final = "calibrated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumptions:
    """What a plan rests on. `sigma_db` None takes the model's; `indoor_db` is what walls cost.

    The path loss is one of `propagation.MODELS`, or `calibrated`: then `fitted` is the line.
    """

    path_loss: str = "petajajarvi-2015"
    sigma_db: float | None = None
    eirp_dbm: float = 14.0
    indoor_db: float = 0.0
    chip: str = "sx1301"
    device_height_m: float = 1.5
    fitted: Line | None = None

    def line(self, height_m: float) -> Line:
        """Return the path loss towards an antenna of this height; raise ConfigurationError where its model fails."""
        if self.path_loss == CALIBRATED and self.fitted is not None:
            return self.fitted
        return propagation.line(self.path_loss, height_m, self.device_height_m)

    def behind(self, walls_db: float) -> "Assumptions":
        """Return the same with walls of so much more."""
        return replace(self, indoor_db=self.indoor_db + walls_db)


class Coverage(NamedTuple):
    """What a set of antennas gives. Arrays of one value a cell, or (6, cells) from SF7 to SF12.

    `heard` is the chance that at least one antenna hears a frame, by spreading factor; `redundancy` how many are
    expected to at SF12; `margin_db` the best mean margin at SF12.
    """

    heard: Singles
    redundancy: Singles
    margin_db: Singles


class Lost(NamedTuple):
    """What is lost when one antenna is: the share of people, and the communes that suffer most with their shares."""

    antenna: str
    people: float
    communes: tuple[tuple[str, float], ...]


def _normal_table() -> Floats:
    """Return the standard normal distribution at _STEPS + 1 places from -_FAR to _FAR."""
    return np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in np.linspace(-_FAR, _FAR, _STEPS + 1)])


_NORMAL: Final = _normal_table()


@compiled
def _phi(z: float, table: Floats) -> float:
    """Return the standard normal distribution, from the table: right to a millionth, in a tenth of erfc's time."""
    place = (min(max(z, -_FAR), _FAR) + _FAR) * (_STEPS / (2 * _FAR))
    left = min(int(place), _STEPS - 1)
    value: float = table[left] + (place - left) * (table[left + 1] - table[left])
    return value


@parallel
def _margins(  # noqa: PLR0917 - compiled: arrays, not objects
    x_m: Floats,
    y_m: Floats,
    antenna_x_m: Floats,
    antenna_y_m: Floats,
    over_1km_db: Floats,
    slope_db: Floats,
    sigma_db: float,
    table: Floats,
    ground_db: Singles,
    result: Singles,
) -> None:
    """Fill (antennas, cells) with mean margins; with their chances where `sigma_db` is positive."""
    for antenna in prange(len(antenna_x_m)):
        for cell in range(len(x_m)):
            east, north = x_m[cell] - antenna_x_m[antenna], y_m[cell] - antenna_y_m[antenna]
            decades = 0.5 * math.log10(max(east * east + north * north, 1.0)) - 3.0
            margin_db = over_1km_db[antenna] - slope_db[antenna] * decades
            if len(ground_db) > 0:
                margin_db -= ground_db[antenna, cell]
            result[antenna, cell] = _phi(margin_db / sigma_db, table) if sigma_db > 0.0 else margin_db


def _filled(
    antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions, least_dbm: float, sigma_db: float
) -> Singles:
    stands, lines = grid.stands(antennas), [assumed.line(height_m) for height_m in grid.heights_m(antennas)]
    strength = assumed.eirp_dbm - assumed.indoor_db - least_dbm
    result = np.empty((len(antennas), len(grid.xy_m)), dtype=np.float32)
    _margins(
        np.ascontiguousarray(grid.xy_m[:, 0]),
        np.ascontiguousarray(grid.xy_m[:, 1]),
        np.ascontiguousarray(stands[:, 0]),
        np.ascontiguousarray(stands[:, 1]),
        np.array([strength + one.antenna_dbi - line.at_1km_db for one, line in zip(antennas, lines, strict=True)]),
        np.array([line.slope_db for line in lines]),
        sigma_db,
        _NORMAL,
        grid.ground_db(antennas),
        result,
    )
    return result


def received_dbm(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions) -> Singles:
    """Return the mean received power, shape (antennas, cells)."""
    return _filled(antennas, grid, assumed, 0.0, 0.0)


def _sigma(assumed: Assumptions, heights_m: Sequence[float]) -> float:
    if assumed.sigma_db is not None:
        return max(assumed.sigma_db, 1e-3)
    return max((assumed.line(height_m).sigma_db for height_m in heights_m[:1]), default=1e-3) or 1e-3


def chances(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions, spreading_factor: int = 12) -> Singles:
    """Return the chance that each antenna hears each cell, shape (antennas, cells)."""
    least_dbm = thresholds.sensitivity_dbm(assumed.chip)[spreading_factor - 7]
    return _filled(antennas, grid, assumed, least_dbm, _sigma(assumed, grid.heights_m(antennas)))


def heard(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions, spreading_factor: int = 12) -> Singles:
    """Return the chance of each cell that one antenna at least hears it."""
    return np.asarray(1 - np.prod(1 - chances(antennas, grid, assumed, spreading_factor), axis=0))


def cover(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions) -> Coverage:
    """Return what these antennas give on this grid."""
    cells = len(grid.xy_m)
    if not antennas:
        zero = np.zeros(cells, dtype=np.float32)
        return Coverage(np.zeros((6, cells), dtype=np.float32), zero, np.full(cells, -np.inf, dtype=np.float32))
    everyone = np.stack([heard(antennas, grid, assumed, factor) for factor in range(7, 13)])
    least_dbm = np.float32(thresholds.sensitivity_dbm(assumed.chip)[-1])
    best = received_dbm(antennas, grid, assumed).max(axis=0) - least_dbm
    return Coverage(everyone, chances(antennas, grid, assumed).sum(axis=0), best)


def by_commune(communes: Sequence[Commune], grid: Grid, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the mean of a value over each commune's cells; a commune too small for one takes the nearest cell's."""
    cells = np.bincount(grid.commune, minlength=len(communes))
    means = np.bincount(grid.commune, weights=values, minlength=len(communes)) / np.maximum(cells, 1)
    for at in np.flatnonzero(cells == 0).tolist():
        middle = metres([communes[at].latitude], [communes[at].longitude], grid.origin)
        means[at] = values[np.hypot(*(grid.xy_m - middle).T).argmin()]
    return np.asarray(means)


def people_share(chance: Singles, grid: Grid) -> float:
    """Return the share of the population that is heard, of each cell's chance."""
    return float((chance * grid.weight).sum() / grid.weight.sum())


def losses(communes: Sequence[Commune], antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions) -> list[Lost]:
    """Return what is lost without each antenna, at SF12."""
    missed = 1 - chances(antennas, grid, assumed)
    people = grid.weight / grid.weight.sum()
    before, after = np.ones(len(people), dtype=np.float32), np.ones_like(missed)
    for row in range(len(antennas) - 2, -1, -1):
        after[row] = after[row + 1] * missed[row + 1]
    found = []
    for row, antenna in enumerate(antennas):
        lost = before * after[row] * (1 - missed[row])
        shares = by_commune(communes, grid, lost)
        worst = np.argsort(-shares)[:_WORST].tolist()
        named = tuple((communes[at].name, round(float(shares[at]), 3)) for at in worst if shares[at] >= _NOTABLE)
        found.append(Lost(antenna.name, round(float((lost * people).sum()), 5), named))
        before *= missed[row]
    return found
