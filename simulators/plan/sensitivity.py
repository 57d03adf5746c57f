"""How far the answer moves with what nobody knows: path loss and walls. Always shown, since it moves tenfold."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from simulators.plan import placement
from simulators.plan.coverage import CALIBRATED, Assumptions, heard, people_share
from simulators.plan.territory import Candidate, Grid
from simulators.radio.propagation import HATA

# From the hardest to the kindest of the measured and published ones; Hata's are for antennas at 30 m and more.
MODELS: Final = ("hata-suburban", "petajajarvi-2015", "hata-rural")
_HATA_FROM_M: Final = 30.0
TARGETS: Final = (0.8, 0.9, 0.95)
MOST: Final = 150


class Band(NamedTuple):
    """One set of assumptions: the share of people heard, and how many antennas each target would take.

    `needed` is by target, None beyond MOST or beyond the candidates.
    """

    path_loss: str
    walls_db: float
    people: float
    needed: dict[float, int | None]


def usable(heights_m: Sequence[float], assumed: Assumptions) -> list[str]:
    """Return the path losses that hold for all these heights; the calibrated one among them if there is one."""
    high = all(one >= _HATA_FROM_M for one in heights_m)
    models = [model for model in MODELS if high or model not in HATA]
    return [*models, CALIBRATED] if assumed.fitted is not None else models


def band(
    antennas: Sequence[Candidate],
    candidates: Sequence[Candidate],
    *,
    existing: Sequence[Candidate],
    grid: Grid,
    assumed: Assumptions,
    walls_db: Sequence[float],
) -> list[Band]:
    """Return the share of people heard at SF12 under each path loss and walls, and what the targets would take."""
    rows = []
    for model in usable(grid.heights_m([*antennas, *candidates]), assumed):
        for walls in walls_db:
            here = replace(assumed, path_loss=model, indoor_db=walls)
            share = people_share(heard(antennas, grid, here), grid)
            counts = placement.needed(candidates, grid, here, TARGETS, existing=existing, most=MOST)
            rows.append(Band(model, walls, round(share, 4), counts))
    return rows
