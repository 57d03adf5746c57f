"""Runs one scenario on a Dask cluster, split by area and by time; the same numbers as one process.

An area is a few neighbouring gateways. A task hears one chunk of time at one area: it makes the frames of the devices
that are of any notice there (randomness is counted, so no other machine is asked), hands its gateways' state to the
task of the next chunk, and returns of each frame only what was not too weak. What areas say of one frame is put
together as it comes back: memory is that of one chunk. Devices that listen tie all areas together second by second:
such scenarios run in one process.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio import kernel, traffic
from simulators.radio.air import CAUSES, FACTORS, RECEIVED, WEAK, Air, Bytes, Frames, Ints, Longs, State
from simulators.radio.counting import Result, best_of
from simulators.radio.engine import CAPACITY, FOR_EVER_US, HOUR_US, CrowdedAirError
from simulators.radio.traffic import Talk
from simulators.radio.world import World

_GATEWAYS_AN_AREA: Final = 8


class Area(NamedTuple):
    """A part of the territory: its gateways, and the devices that are of notice there."""

    gateways: Longs
    devices: Longs
    talk: Talk
    air: Air
    demodulators: list[int]


class Carried(NamedTuple):
    """What an area's task leaves to that of the next chunk."""

    state: State
    frames: Frames
    outcome: Bytes


class Share(NamedTuple):
    """What one area says of the frames that ended in a chunk: of each that was not too weak, its best and its copies.

    `ended` (devices of the area) counts all of them. `by_gateway` (gateways of the area, causes) counts them too.
    """

    device: Ints
    turn: Ints
    factor: Bytes
    best: Bytes
    copies: Bytes
    ended: Longs
    by_gateway: Longs


def areas(world: World, size: int = _GATEWAYS_AN_AREA) -> list[Area]:
    """Return the parts of a scenario: gateways side by side from west to east, then from south to north."""
    columns = max(1, round(np.sqrt(len(world.gateway_xy_m) / size)))
    by_x = np.argsort(world.gateway_xy_m[:, 0], kind="stable")
    found = []
    for strip in np.array_split(by_x, columns):
        by_y = strip[np.argsort(world.gateway_xy_m[strip, 1], kind="stable")]
        count = max(1, round(len(by_y) / size))
        found += [_area(world, np.sort(part)) for part in np.array_split(by_y, count)]
    return found


def _area(world: World, gateways: Longs) -> Area:
    talk, air = world.talk, world.air
    level_mw = air.gain[gateways].max(axis=0).astype(np.float64) * talk.power_mw.astype(np.float64)
    devices = np.flatnonzero(level_mw >= air.floor_mw[talk.factor])
    place = np.full(len(world.radio.gateways), -1, dtype=np.int64)
    place[gateways] = np.arange(len(gateways))
    closed = air.closed_us[place[air.closed_us[:, 0]] >= 0].copy()
    closed[:, 0] = place[closed[:, 0]]
    return Area(
        gateways=gateways,
        devices=devices,
        talk=talk,
        air=air._replace(gain=air.gain[gateways], closed_us=closed, number=air.number[gateways]),
        demodulators=[world.demodulators[one] for one in gateways],
    )


def begin(area: Area) -> Carried:
    """Return an area's silent air."""
    state = State.empty(area.talk.channels, area.demodulators, CAPACITY)
    return Carried(state, Frames.room(0), np.zeros((len(area.gateways), 0), dtype=np.uint8))


def hear(area: Area, carried: Carried, start_us: int, end_us: int, until_us: int) -> tuple[Carried, Share]:
    """Hear one chunk at one area; raise CrowdedAirError."""
    fresh = traffic.frames(area.talk, start_us, end_us, area.devices)
    known = len(carried.frames.start_us)
    frames = Frames.joined(carried.frames, fresh)
    state = carried.state.copy()  # a task may be computed twice
    outcome = np.zeros((len(area.gateways), len(frames.start_us)), dtype=np.uint8)
    outcome[:, :known] = carried.outcome
    if kernel.hear(frames, known, len(outcome[0]), until_us, area.air, state, outcome):
        raise CrowdedAirError
    done = frames.end_us <= until_us
    share = _share(area, frames.take(done), np.ascontiguousarray(outcome[:, done]))
    left = np.flatnonzero(~done)
    state.move(left, len(done))
    return Carried(state, frames.take(left), outcome[:, left]), share


def _share(area: Area, frames: Frames, outcome: Bytes) -> Share:
    best, copies = best_of(outcome)
    told = best > WEAK
    rows = [np.bincount(row, minlength=len(CAUSES)) for row in outcome]
    return Share(
        frames.device[told], frames.turn[told], frames.factor[told], best[told], copies[told],
        np.bincount(np.searchsorted(area.devices, frames.device), minlength=len(area.devices)),
        np.array(rows, dtype=np.int64),
    )  # fmt: skip


class Sum:
    """Puts together what areas say, chunk by chunk."""

    def __init__(self, world: World, parts: Sequence[Area]) -> None:
        self._talk, self._parts = world.talk, parts
        gateways, devices = len(world.radio.gateways), len(world.fleet)
        self._by_factor = np.zeros((FACTORS, len(CAUSES)), dtype=np.int64)
        self._by_gateway = np.zeros((gateways, len(CAUSES)), dtype=np.int64)
        self._sent = np.zeros(devices, dtype=np.int64)
        self._delivered = np.zeros(devices, dtype=np.int64)
        self._by_copies = np.zeros(gateways + 1, dtype=np.int64)
        self._by_chunk: list[tuple[int, int]] = []
        self._alone = np.setdiff1d(np.arange(devices), np.concatenate([part.devices for part in parts]))

    def add(self, shares: Sequence[Share], start_us: int, end_us: int, until_us: int) -> None:
        """Add a chunk: each frame counts once, under the best that any area says of it."""
        device, turn, factor, best, copies = (
            np.concatenate([getattr(share, name) for share in shares]) for name in Share._fields[:5]
        )
        order = np.lexsort((turn, device))
        device, turn, factor = device[order], turn[order], factor[order]
        first = np.flatnonzero(np.append(True, (np.diff(device) != 0) | (np.diff(turn) != 0)) if len(device) else [])
        best = np.maximum.reduceat(best[order], first) if len(first) else best
        copies = np.add.reduceat(copies[order].astype(np.int64), first) if len(first) else copies
        device, factor = device[first], factor[first]
        sent = self._ended(shares, start_us, end_us, until_us)
        weak = sent - np.bincount(device, minlength=len(sent))
        self._sent += sent
        self._delivered += np.bincount(device[best == RECEIVED], minlength=len(sent))
        codes = factor.astype(np.int64) * len(CAUSES) + best
        self._by_factor += np.bincount(codes, minlength=self._by_factor.size).reshape(self._by_factor.shape)
        self._by_factor[:, WEAK] += np.bincount(self._talk.factor, weights=weak, minlength=FACTORS).astype(np.int64)
        self._by_copies += np.bincount(copies.astype(np.int64), minlength=len(self._by_copies))
        self._by_copies[0] += weak.sum()
        for part, share in zip(self._parts, shares, strict=True):
            self._by_gateway[part.gateways] += share.by_gateway
            self._by_gateway[part.gateways, WEAK] += sent.sum() - share.ended.sum()
        self._by_chunk.append((int(sent.sum()), int((best == RECEIVED).sum())))

    def _ended(self, shares: Sequence[Share], start_us: int, end_us: int, until_us: int) -> Longs:
        """Return how many frames of each device ended; those that nobody notices are counted here."""
        sent = np.zeros(len(self._sent), dtype=np.int64)
        for part, share in zip(self._parts, shares, strict=True):
            sent[part.devices] = share.ended
        if len(self._alone):
            before_us = max(0, start_us - int(self._talk.airtime_us[self._alone].max()))
            unheard = traffic.frames(self._talk, before_us, end_us, self._alone)
            within = ((unheard.start_us >= start_us) | (unheard.end_us > start_us)) & (unheard.end_us <= until_us)
            sent += np.bincount(unheard.device[within], minlength=len(sent))
        return sent

    def result(self, seconds: float) -> Result:
        """Return what was added."""
        by_chunk = np.array(self._by_chunk, dtype=np.int64).reshape(-1, 2)
        return Result(
            self._by_factor, self._by_gateway, self._sent, self._delivered, self._by_copies, by_chunk, seconds
        )


def run(world: World, client: Any, *, chunk_us: int = HOUR_US, area_gateways: int = _GATEWAYS_AN_AREA) -> Result:
    """Run a scenario on a cluster through its `distributed.Client`; raise ConfigurationError for one that listens."""
    if world.radio.listens:
        raise ConfigurationError("devices that listen (ADR, joins, acknowledgements) run in one process, without Dask")
    began = time.perf_counter()
    parts = areas(world, area_gateways)
    held = client.scatter(parts, hash=False)  # a list: each area is one thing, not a tuple of four
    carried = [client.submit(begin, part, pure=False) for part in held]
    total = Sum(world, parts)
    edges = [*range(0, world.duration_us, chunk_us), world.duration_us]
    waiting: list[tuple[list[Any], int, int, int]] = []
    for start_us, end_us in pairwise(edges):
        until_us = end_us if end_us < world.duration_us else FOR_EVER_US
        both = [
            client.submit(hear, part, left, start_us, end_us, until_us, pure=False)
            for part, left in zip(held, carried, strict=True)
        ]
        carried = [client.submit(_first, one, pure=False) for one in both]
        waiting.append(([client.submit(_second, one, pure=False) for one in both], start_us, end_us, until_us))
        if len(waiting) > 2:
            _gather(client, total, waiting.pop(0))
    for one in waiting:
        _gather(client, total, one)
    return total.result(time.perf_counter() - began)


def _gather(client: Any, total: Sum, chunk: tuple[list[Any], int, int, int]) -> None:
    shares, start_us, end_us, until_us = chunk
    total.add(client.gather(shares), start_us, end_us, until_us)


def _first(both: tuple[Carried, Share]) -> Carried:
    return both[0]


def _second(both: tuple[Carried, Share]) -> Share:
    return both[1]
