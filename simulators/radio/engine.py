"""Runs a territory hour by hour, and counts what became of each frame.

Results do not depend on how time is cut nor on how many cores work: randomness belongs to devices and frames, and
what is on the air at the end of an hour is carried into the next.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import SamaraError
from simulators.radio import counting, kernel, traffic
from simulators.radio.kernel import Air, Bytes, Floats, Frames, Longs, State
from simulators.radio.traffic import Talk

HOUR_US: Final = 3_600_000_000
_FOR_EVER_US: Final = 1 << 62


# (frames, outcome of each at each gateway, which of them are done)
Finished = Callable[[Frames, Bytes, npt.NDArray[np.bool_]], None]


class CrowdedAirError(SamaraError):
    """More frames are on the air of one channel at once than the engine has room for; raise `capacity`."""


class Result(NamedTuple):
    """What became of the frames. Causes are those of `kernel.CAUSES`; a frame counts under its best gateway's.

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
        return float(self.by_factor[:, kernel.RECEIVED].sum() / max(1, self.frames))


class _Count:
    """Adds up finished frames."""

    def __init__(self, devices: int, gateways: int) -> None:
        causes = len(kernel.CAUSES)
        self.by_factor = np.zeros((kernel.FACTORS, causes), dtype=np.int64)
        self.by_gateway = np.zeros((gateways, causes), dtype=np.int64)
        self.sent = np.zeros(devices, dtype=np.int64)
        self.delivered = np.zeros(devices, dtype=np.int64)
        self.by_copies = np.zeros(gateways + 1, dtype=np.int64)
        self.by_chunk: list[tuple[int, int]] = []

    def add(self, frames: Frames, outcome: Bytes, done: npt.NDArray[np.bool_]) -> None:
        """Count the frames that are done."""
        best, copies = np.empty(len(done), dtype=np.uint8), np.empty(len(done), dtype=np.uint8)
        counting.reduce(outcome, best, copies)
        best, copies, device, factor = best[done], copies[done], frames.device[done], frames.factor[done]
        causes = len(kernel.CAUSES)
        self.by_factor += _counted(factor.astype(np.int64) * causes + best, self.by_factor.shape)
        self.sent += np.bincount(device, minlength=len(self.sent))
        received = best == kernel.RECEIVED
        self.delivered += np.bincount(device[received], minlength=len(self.sent))
        self.by_copies += np.bincount(copies, minlength=len(self.by_copies))
        counting.tally(outcome, done, self.by_gateway)
        self.by_chunk.append((len(best), int(received.sum())))


def _counted(codes: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    return np.bincount(codes, minlength=int(np.prod(shape))).reshape(shape)


def run(
    talk: Talk,
    air: Air,
    *,
    duration_us: int,
    demodulators: int = 8,
    chunk_us: int = HOUR_US,
    capacity: int = 256,
    on_chunk: Callable[[int, int], None] = lambda _done, _of: None,
    on_finished: Finished = lambda _frames, _outcome, _done: None,
) -> Result:
    """Run from 0 to `duration_us`; frames that start by then are followed to their end. Raises CrowdedAirError.

    Memory: one byte a gateway and frame of the chunk, and the gains.
    """
    began = time.perf_counter()
    gateways, devices = air.gain.shape
    state = State.empty(gateways, talk.channels, demodulators, capacity)
    count = _Count(devices, gateways)
    on_air, undecided = traffic.frames(talk, 0, 0), np.empty((gateways, 0), dtype=np.uint8)
    edges = [*range(0, duration_us, chunk_us), duration_us]
    for done, (start_us, end_us) in enumerate(pairwise(edges), start=1):
        until_us = end_us if end_us < duration_us else _FOR_EVER_US
        fresh = traffic.frames(talk, start_us, end_us)
        known = len(on_air.start_us)
        frames = Frames.joined(on_air, fresh)
        outcome = np.zeros((gateways, len(frames.start_us)), dtype=np.uint8)
        outcome[:, :known] = undecided
        if kernel.hear(*frames, known, until_us, *air, *state, outcome):
            raise CrowdedAirError
        finished = frames.end_us <= until_us
        count.add(frames, outcome, finished)
        on_finished(frames, outcome, finished)
        left = np.flatnonzero(~finished)
        _move(state, left, len(finished))
        on_air, undecided = frames.take(left), outcome[:, left]
        on_chunk(done, len(edges) - 1)
    return Result(
        count.by_factor,
        count.by_gateway,
        count.sent,
        count.delivered,
        count.by_copies,
        np.array(count.by_chunk, dtype=np.int64).reshape(-1, 2),
        time.perf_counter() - began,
    )


def _move(state: State, left: npt.NDArray[np.intp], size: int) -> None:
    """Let the state speak of frames by their place among those that are left."""
    place = np.zeros(size + 1, dtype=np.int32)
    place[left] = np.arange(len(left), dtype=np.int32)
    used = np.arange(state.frame.shape[2]) < state.used[:, :, None]
    state.frame[used] = place[state.frame[used]]


def fastest_factors(gains: kernel.Singles, power_mw: float, sensitivity_mw: Floats, margin_db: float) -> Bytes:
    """Return for each device the fastest spreading factor (0 = SF7) that its best gateway hears with a margin.

    SF12 where none does: such devices are out of reach, or stuck.
    """
    best = gains.max(axis=0).astype(np.float64) * power_mw / 10.0 ** (margin_db / 10.0)
    reached = best[None, :] >= sensitivity_mw[:, None]
    return np.where(reached.any(axis=0), reached.argmax(axis=0), kernel.FACTORS - 1).astype(np.uint8)
