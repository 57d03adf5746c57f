"""Adds up what became of frames."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.radio.air import CAUSES, FACTORS, RECEIVED, Bytes, Flags, Heard, Longs, Shorts
from simulators.radio.jit import parallel, prange, whole

_BLOCK: Final = 8192


class Result(NamedTuple):
    """What became of the frames. Causes are those of `air.CAUSES`; a frame counts under its best gateway's.

    Shapes: `by_factor` (6, causes), `by_gateway` (gateways, causes), `sent` and `delivered` (devices),
    `by_copies` (gateways + 1): frames by how many gateways received them; `by_chunk` (chunks, 2): sent, delivered.
    """

    by_factor: Longs
    by_gateway: Longs
    sent: Longs
    delivered: Longs
    by_copies: Longs
    by_chunk: Longs
    seconds: float

    @property
    def frames(self) -> int:
        """How many frames were sent."""
        return int(self.by_factor.sum())

    @property
    def delivery(self) -> float:
        """The share of frames that at least one gateway received."""
        return float(self.by_factor[:, RECEIVED].sum() / max(1, self.frames))


class Count:
    """Adds up finished frames."""

    def __init__(self, devices: int, gateways: int) -> None:
        causes = len(CAUSES)
        self.by_factor = np.zeros((FACTORS, causes), dtype=np.int64)
        self.by_gateway = np.zeros((gateways, causes), dtype=np.int64)
        self.sent = np.zeros(devices, dtype=np.int64)
        self.delivered = np.zeros(devices, dtype=np.int64)
        self.by_copies = np.zeros(gateways + 1, dtype=np.int64)
        self.by_chunk: list[list[int]] = []

    def add(self, heard: Heard) -> None:
        """Count the frames that are done."""
        done = heard.done
        best, copies = best_of(heard.outcome)
        best, copies = best[done], copies[done]
        device, factor = heard.frames.device[done], heard.frames.factor[done]
        self.by_factor += _counted(factor.astype(np.int64) * len(CAUSES) + best, self.by_factor.shape)
        self.sent += np.bincount(device, minlength=len(self.sent))
        received = best == RECEIVED
        self.delivered += np.bincount(device[received], minlength=len(self.sent))
        self.by_copies += np.bincount(copies, minlength=len(self.by_copies))
        _tally(heard.outcome, done, self.by_gateway)
        while len(self.by_chunk) <= heard.chunk:
            self.by_chunk.append([0, 0])
        self.by_chunk[heard.chunk][0] += len(best)
        self.by_chunk[heard.chunk][1] += int(received.sum())

    def result(self, seconds: float) -> Result:
        """Return what was counted."""
        by_chunk = np.array(self.by_chunk, dtype=np.int64).reshape(-1, 2)
        return Result(self.by_factor, self.by_gateway, self.sent, self.delivered, self.by_copies, by_chunk, seconds)


def best_of(outcome: Bytes) -> tuple[Bytes, Shorts]:
    """Return, of each frame, its best outcome among the gateways and by how many it was received."""
    best, copies = np.empty(outcome.shape[1], dtype=np.uint8), np.empty(outcome.shape[1], dtype=np.uint16)
    _reduce(outcome, best, copies)
    return best, copies


def _counted(codes: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    return np.bincount(codes, minlength=int(np.prod(shape))).reshape(shape)


@parallel
def _reduce(outcome: Bytes, best: Bytes, copies: Shorts) -> None:
    for block in prange((len(best) + _BLOCK - 1) // _BLOCK):  # as much as a core keeps near it
        first = whole(block) * _BLOCK
        last = min(len(best), first + _BLOCK)
        best[first:last], copies[first:last] = 0, 0
        for gateway in range(len(outcome)):
            for frame in range(first, last):
                said = outcome[gateway, frame]
                best[frame] = max(best[frame], said)
                copies[frame] += np.uint16(said == RECEIVED)


@parallel
def _tally(outcome: Bytes, done: Flags, by_gateway: Longs) -> None:
    for gateway in prange(outcome.shape[0]):
        for frame in range(outcome.shape[1]):
            if done[frame]:
                by_gateway[gateway, outcome[gateway, frame]] += 1
