"""What a commune's sensors are likely to deliver: who hears them, less what the crowd about each antenna destroys."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulators.plan.capacity import Crowd
from simulators.plan.coverage import Assumptions, chances
from simulators.plan.territory import Candidate, Grid
from simulators.radio.air import Singles


class Demand(NamedTuple):
    """How many sensors there are for a thousand people, how often they speak, the share of them stuck at SF12."""

    sensors_per_1000: float = 20.0
    period_s: float = 3600.0
    stuck_share: float = 0.05


class Delivery(NamedTuple):
    """What arrives of each cell; how many sensors each antenna hears, and the share of their frames it receives."""

    cells: Singles
    sensors: Singles
    survival: Singles


def predict(
    antennas: Sequence[Candidate], grid: Grid, assumed: Assumptions, demand: Demand, crowds: Sequence[Crowd]
) -> Delivery:
    """Return what arrives. `crowds` is the capacity curve for the demand's period and stuck share.

    A frame arrives when one antenna at least hears it and no other frame destroys it there; what happens at one
    antenna is taken as independent of another, which flatters places that several hear.
    """
    chance = chances(antennas, grid, assumed)
    sensors = chance @ (grid.weight * demand.sensors_per_1000 / 1000).astype(np.float32)
    sizes = [0.0, *(float(one.devices) for one in crowds)]
    survival = np.interp(sensors, sizes, [1.0, *(one.delivery for one in crowds)]).astype(np.float32)
    return Delivery(1 - np.prod(1 - chance * survival[:, None], axis=0), sensors, survival)
