"""Runs a territory hour by hour, devices talking by the clock alone: nothing that the network says changes them.

Results do not depend on how time is cut nor on how many cores work: randomness belongs to devices and frames, and
what is on the air at the end of an hour is carried into the next. `network` is for devices that listen.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from simulators.radio import air as names
from simulators.radio import kernel, traffic
from simulators.radio.air import Air, Bytes, Floats, Frames, Heard, Singles, State
from simulators.radio.counting import Count, Result
from simulators.radio.traffic import Talk

HOUR_US: Final = 3_600_000_000
FOR_EVER_US: Final = 1 << 62
DEMODULATORS: Final = 8


class Carried(NamedTuple):
    """What one chunk of time leaves to the next: the gateways, and the frames that are, or just were, on the air."""

    state: State
    frames: Frames
    outcome: Bytes


def silence(demodulators: Sequence[int]) -> Carried:
    """Return what nothing leaves; `demodulators` has one number a gateway."""
    return Carried(State.empty(demodulators), Frames.room(0), np.zeros((len(demodulators), 0), dtype=np.uint8))


def step(  # noqa: PLR0917
    carried: Carried, fresh: Frames, air: Air, near: Singles, longest_us: int, since_us: int, until_us: int
) -> tuple[Heard, Carried]:
    """Hear the frames that begin from `since_us` on, and decide those that end by `until_us`.

    `near` is `air.gain` by device, then gateway; no frame lasts longer than `longest_us`.
    """
    known = len(carried.frames.start_us)
    frames = Frames.joined(carried.frames, fresh)
    outcome = np.zeros((len(carried.outcome), len(frames.start_us)), dtype=np.uint8)
    outcome[:, :known] = carried.outcome
    previous, following, _ = kernel.linked(frames.channel)
    kernel.hear(
        frames, known, since_us, until_us, longest_us, previous, following, air, near, carried.state, outcome
    )  # fmt: skip
    left = np.flatnonzero(frames.end_us > until_us - longest_us)
    done = (frames.end_us > since_us) & (frames.end_us <= until_us)
    return Heard(frames, outcome, done), Carried(carried.state, frames.take(left), outcome[:, left])


def heard(
    talk: Talk, air: Air, *, duration_us: int, demodulators: Sequence[int] = (), chunk_us: int = HOUR_US
) -> Iterator[Heard]:
    """Yield what was heard, chunk by chunk, from 0 to `duration_us`.

    Frames that start by then are followed to their end. `demodulators` has one number a gateway; without it, 8.
    Memory: one byte a gateway and frame of the chunk, and the gains.
    """
    near, longest_us = np.ascontiguousarray(air.gain.T), int(talk.airtime_us.max())
    carried = silence(demodulators or [DEMODULATORS] * len(air.gain))
    for number, (start_us, end_us) in enumerate(pairwise([*range(0, duration_us, chunk_us), duration_us])):
        until_us = end_us if end_us < duration_us else FOR_EVER_US
        fresh = traffic.frames(talk, start_us, end_us)
        chunk, carried = step(carried, fresh, air, near, longest_us, start_us, until_us)
        yield chunk._replace(chunk=number)


def run(
    talk: Talk,
    air: Air,
    *,
    duration_us: int,
    demodulators: Sequence[int] = (),
    chunk_us: int = HOUR_US,
    also: Callable[[Heard], None] = lambda _heard: None,
) -> Result:
    """Count what `heard` yields; hand each chunk to `also`."""
    began = time.perf_counter()
    gateways, devices = air.gain.shape
    count = Count(devices, gateways)
    for chunk in heard(talk, air, duration_us=duration_us, demodulators=demodulators, chunk_us=chunk_us):
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
