"""Plan A against plan B under the same random numbers: a site that stands in both has the same shadows in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulators.plan.coverage import Assumptions
from simulators.plan.territory import Candidate, Grid
from simulators.radio import propagation, thresholds
from simulators.radio.air import Singles

_SF12: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The share of people heard at SF12 by each plan, over draws of correlated shadowing.

    `gain` is B less A, draw by draw: its mean, and what nine draws of ten stay between. `spread` is its standard
    deviation, `spread_if_apart` what it would be had each plan been given random numbers of its own.
    """

    draws: int
    share_a: float
    share_b: float
    gain: float
    gain_low: float
    gain_high: float
    b_is_better: int
    spread: float
    spread_if_apart: float


def compare(
    plan_a: Sequence[Candidate],
    plan_b: Sequence[Candidate],
    grid: Grid,
    assumed: Assumptions,
    *,
    draws: int = 20,
    seed: int = 1,
    decorrelation_m: float = 500.0,
) -> Comparison:
    """Return how B compares with A."""
    sites = list(dict.fromkeys([*plan_a, *plan_b]))
    rows_a, rows_b = ([sites.index(one) for one in plan] for plan in (plan_a, plan_b))
    people = grid.weight / grid.weight.sum()
    shares = np.empty((draws, 2))
    for draw in range(draws):
        heard = _heard(sites, grid, assumed, seed + draw, decorrelation_m)
        shares[draw] = [float((heard[rows].any(axis=0) * people).sum()) for rows in (rows_a, rows_b)]
    gains = shares[:, 1] - shares[:, 0]
    low, high = (round(float(np.quantile(gains, share)), 5) for share in (0.05, 0.95))
    return Comparison(
        draws=draws,
        share_a=round(float(shares[:, 0].mean()), 5),
        share_b=round(float(shares[:, 1].mean()), 5),
        gain=round(float(gains.mean()), 5),
        gain_low=low,
        gain_high=high,
        b_is_better=int((gains > 0).sum()),
        spread=round(float(gains.std(ddof=1)), 6),
        spread_if_apart=round(float(np.sqrt(shares.var(axis=0, ddof=1).sum())), 6),
    )


def _heard(sites: Sequence[Candidate], grid: Grid, assumed: Assumptions, seed: int, decorrelation_m: float) -> Singles:
    """Return whether each site hears each cell in one draw, shape (sites, cells)."""
    lines = [assumed.line(height_m) for height_m in grid.heights_m(sites)]
    if assumed.sigma_db is not None:
        lines = [line._replace(sigma_db=assumed.sigma_db) for line in lines]
    gains = propagation.gains(
        device_xy_m=grid.xy_m,
        device_loss_db=np.full(len(grid.xy_m), assumed.indoor_db),
        gateway_xy_m=grid.stands(sites),
        gateway_antenna_db=np.array([one.antenna_dbi for one in sites]),
        lines=lines,
        ground_db=grid.ground_db(sites),
        decorrelation_m=decorrelation_m,
        seed=seed,
    )
    least_dbm = thresholds.sensitivity_dbm(assumed.chip)[_SF12]
    return np.asarray(gains >= 10 ** ((least_dbm - assumed.eirp_dbm) / 10))
