"""Runs a territory hour by hour, devices talking by the clock alone: nothing that the network says changes them.

Results do not depend on how time is cut nor on how many cores work: randomness belongs to devices and frames, and
what is on the air at the end of an hour is carried into the next. `network` is for devices that listen.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from domain.errors import SamaraError
from simulators.radio import air as names
from simulators.radio import kernel, traffic
from simulators.radio.air import Air, Bytes, Floats, Frames, Heard, Singles, State
from simulators.radio.counting import Count, Result
from simulators.radio.traffic import Talk

HOUR_US: Final = 3_600_000_000
FOR_EVER_US: Final = 1 << 62
DEMODULATORS: Final = 8
CAPACITY: Final = 256


class CrowdedAirError(SamaraError):
    """More frames are on the air of one channel at once than the engine has room for; raise `capacity`."""


def heard(
    talk: Talk,
    air: Air,
    *,
    duration_us: int,
    demodulators: Sequence[int] = (),
    chunk_us: int = HOUR_US,
    capacity: int = CAPACITY,
) -> Iterator[Heard]:
    """Yield what was heard, chunk by chunk, from 0 to `duration_us`; raise CrowdedAirError.

    Frames that start by then are followed to their end. `demodulators` has one number a gateway; without it, 8.
    Memory: one byte a gateway and frame of the chunk, and the gains.
    """
    gateways = len(air.gain)
    state = State.empty(talk.channels, demodulators or [DEMODULATORS] * gateways, capacity)
    on_air, undecided = traffic.frames(talk, 0, 0), np.empty((gateways, 0), dtype=np.uint8)
    for number, (start_us, end_us) in enumerate(pairwise([*range(0, duration_us, chunk_us), duration_us])):
        until_us = end_us if end_us < duration_us else FOR_EVER_US
        known = len(on_air.start_us)
        frames = Frames.joined(on_air, traffic.frames(talk, start_us, end_us))
        outcome = np.zeros((gateways, len(frames.start_us)), dtype=np.uint8)
        outcome[:, :known] = undecided
        if kernel.hear(frames, known, len(frames.start_us), until_us, air, state, outcome):
            raise CrowdedAirError
        done = frames.end_us <= until_us
        yield Heard(frames, outcome, done, chunk=number)
        left = np.flatnonzero(~done)
        state.move(left, len(done))
        on_air, undecided = frames.take(left), outcome[:, left]


def run(
    talk: Talk,
    air: Air,
    *,
    duration_us: int,
    demodulators: Sequence[int] = (),
    chunk_us: int = HOUR_US,
    capacity: int = CAPACITY,
    also: Callable[[Heard], None] = lambda _heard: None,
) -> Result:
    """Count what `heard` yields; hand each chunk to `also`. Raises CrowdedAirError."""
    began = time.perf_counter()
    gateways, devices = air.gain.shape
    count = Count(devices, gateways)
    for chunk in heard(
        talk, air, duration_us=duration_us, demodulators=demodulators, chunk_us=chunk_us, capacity=capacity
    ):
        count.add(chunk)
        also(chunk)
    return count.result(time.perf_counter() - began)


def fastest_factors(best_gain: Singles, power_mw: float, sensitivity_mw: Floats, margin_db: float) -> Bytes:
    """Return for each device the fastest spreading factor (0 = SF7) that its best gateway hears with a margin.

    SF12 where none does: such devices are out of reach, or stuck.
    """
    best = best_gain.astype(np.float64) * power_mw / 10.0 ** (margin_db / 10.0)
    reached = best[None, :] >= sensitivity_mw[:, None]
    return np.where(reached.any(axis=0), reached.argmax(axis=0), names.FACTORS - 1).astype(np.uint8)
