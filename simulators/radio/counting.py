"""Sums over outcomes, compiled."""

import numpy as np
import numpy.typing as npt

from simulators.radio.jit import parallel, prange
from simulators.radio.kernel import RECEIVED, Bytes, Longs


@parallel
def reduce(outcome: Bytes, best: Bytes, gateways: Bytes) -> None:
    """Fill, of each frame, its best outcome among the gateways and by how many it was received."""
    for frame in prange(outcome.shape[1]):
        top, copies = 0, 0
        for gateway in range(outcome.shape[0]):
            said = outcome[gateway, frame]
            top = max(top, said)
            copies += said == RECEIVED
        best[frame] = top
        gateways[frame] = copies


@parallel
def tally(outcome: Bytes, done: npt.NDArray[np.bool_], by_gateway: Longs) -> None:
    """Add each gateway's outcomes of the frames that are done to its row."""
    for gateway in prange(outcome.shape[0]):
        for frame in range(outcome.shape[1]):
            if done[frame]:
                by_gateway[gateway, outcome[gateway, frame]] += 1
