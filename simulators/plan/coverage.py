"""How well a set of antennas is likely to be heard from each cell, and in each commune.

Shadowing is a chance, independent from antenna to antenna: a cell whose mean margin at one antenna is m dB hears it
with probability Phi(m / sigma). No terrain: a plain is what is assumed, and said.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.plan.territory import Candidate, Commune, Grid, metres
from simulators.radio import propagation, thresholds
from simulators.radio.kernel import Singles

_NEAREST_M: Final = 1.0
# The path losses whose spread is the band of what is not known; Hata's are for antennas at 30 m and more.
BAND: Final = ("hata-suburban", "petajajarvi-2015", "hata-rural")


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumptions:
    """What a plan rests on. `sigma_db` None takes the model's; `indoor_db` is what walls cost."""

    path_loss: str = "petajajarvi-2015"
    sigma_db: float | None = None
    eirp_dbm: float = 14.0
    indoor_db: float = 0.0
    chip: str = "sx1301"
    device_height_m: float = 1.5


class Coverage(NamedTuple):
    """What a set of antennas gives. Arrays of one value a cell, or (6, cells) from SF7 to SF12.

    `heard` is the chance that at least one antenna hears a frame, by spreading factor; `redundancy` how many are
    expected to at SF12; `margin_db` the best mean margin at SF12.
    """

    heard: Singles
    redundancy: Singles
    margin_db: Singles


class CommuneCoverage(NamedTuple):
    """The same, averaged over a commune: shares of its land."""

    name: str
    population: float
    heard_sf7: float
    heard_sf12: float
    indoor_sf12: float
    redundancy: float


def _phi(values: Singles) -> Singles:
    """Return the standard normal distribution (Abramowitz and Stegun 26.2.17, to 7.5e-8)."""
    t = 1 / (1 + np.float32(0.2316419) * np.abs(values))
    factors = (1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.319381530)
    poly = np.zeros_like(t)
    for factor in factors:
        poly = (poly + np.float32(factor)) * t
    upper = np.exp(-values * values / 2) / np.float32(math.sqrt(2 * math.pi)) * poly
    return np.where(values >= 0, 1 - upper, upper)


def received_dbm(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions) -> Singles:
    """Return the mean received power, shape (antennas, cells)."""
    stands = metres([one.latitude for one in antennas], [one.longitude for one in antennas], grid.origin)
    powers = np.empty((len(antennas), len(grid.xy_m)), dtype=np.float32)
    for row, (antenna, stand) in enumerate(zip(antennas, stands, strict=True)):
        line = propagation.line(assumed.path_loss, antenna.height_m, assumed.device_height_m)
        apart_km = np.maximum(np.hypot(*(grid.xy_m - stand).T), _NEAREST_M).astype(np.float32) / 1000
        loss = line.at_1km_db + line.slope_db * np.log10(apart_km)
        powers[row] = assumed.eirp_dbm + antenna.antenna_dbi - assumed.indoor_db - loss
    return powers


def _sigma(assumed: Assumptions, antennas: Sequence[Candidate]) -> float:
    if assumed.sigma_db is not None:
        return max(assumed.sigma_db, 1e-3)
    lines = [propagation.line(assumed.path_loss, one.height_m, assumed.device_height_m) for one in antennas[:1]]
    return max((line.sigma_db for line in lines), default=1e-3) or 1e-3


def chances(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions, spreading_factor: int = 12) -> Singles:
    """Return the chance that each antenna hears each cell, shape (antennas, cells)."""
    least_dbm = thresholds.sensitivity_dbm(assumed.chip)[spreading_factor - 7]
    margins = received_dbm(antennas, grid, assumed) - np.float32(least_dbm)
    return _phi(margins / np.float32(_sigma(assumed, antennas)))


def cover(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions) -> Coverage:
    """Return what these antennas give on this grid."""
    cells = len(grid.xy_m)
    if not antennas:
        zero = np.zeros(cells, dtype=np.float32)
        return Coverage(np.zeros((6, cells), dtype=np.float32), zero, np.full(cells, -np.inf, dtype=np.float32))
    powers, sigma = received_dbm(antennas, grid, assumed), np.float32(_sigma(assumed, antennas))
    levels = thresholds.sensitivity_dbm(assumed.chip)
    heard = np.stack([1 - np.prod(1 - _phi((powers - np.float32(least)) / sigma), axis=0) for least in levels])
    slowest = powers - np.float32(levels[-1])
    return Coverage(heard, _phi(slowest / sigma).sum(axis=0), slowest.max(axis=0))


def by_commune(
    communes: Sequence[Commune],
    antennas: Sequence[Candidate],
    grid: Grid,
    assumed: Assumptions,
    indoor_db: float = 15.0,
) -> list[CommuneCoverage]:
    """Return each commune's shares, outdoors and behind walls of `indoor_db`; communes without a cell are left out."""
    outside = cover(antennas, grid, assumed)
    inside = cover(antennas, grid, replace(assumed, indoor_db=assumed.indoor_db + indoor_db))
    cells = np.maximum(np.bincount(grid.commune, minlength=len(communes)), 1)

    def mean(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.bincount(grid.commune, weights=values, minlength=len(communes)) / cells

    columns = [mean(one) for one in (outside.heard[0], outside.heard[5], inside.heard[5], outside.redundancy)]
    present = np.unique(grid.commune)
    return [
        CommuneCoverage(communes[at].name, communes[at].population, *(round(float(one[at]), 4) for one in columns))
        for at in present
    ]


def people_share(coverage: Coverage, grid: Grid, spreading_factor: int = 12) -> float:
    """Return the share of the population that is heard."""
    return float((coverage.heard[spreading_factor - 7] * grid.weight).sum() / grid.weight.sum())


def band(antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions) -> dict[str, float]:
    """Return the share of people heard under each path loss of BAND: how far the answer moves with what is unknown."""
    return {
        model: round(people_share(cover(antennas, grid, replace(assumed, path_loss=model)), grid), 4)
        for model in BAND
        if model not in propagation.HATA or all(one.height_m >= 30 for one in antennas)
    }
