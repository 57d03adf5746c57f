"""Runs one scenario on a Dask cluster, split by area and by time; the same numbers as one process.

An area is a few neighbouring gateways. A worker computes what arrives there, and hears one chunk of time in one task:
it makes the frames of the devices that are of any notice there (randomness is counted, so no other machine is asked),
hands its gateways' state to the task of the next chunk, and returns of each frame only what was not too weak. The
client knows where everybody is, settles the spreading factors on each device's best gain, and puts together what areas
say of one frame as it comes back: its memory is a few numbers a device, and a chunk. Devices that listen tie all areas
together second by second: such scenarios run in one process.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio import engine, placing, traffic, world
from simulators.radio.air import CAUSES, FACTORS, RECEIVED, WEAK, Air, Bytes, Frames, Ints, Longs, Shorts, Singles
from simulators.radio.counting import Result, best_of
from simulators.radio.elevation import Ground
from simulators.radio.engine import FOR_EVER_US, HOUR_US, Carried
from simulators.radio.placing import Placed
from simulators.radio.traffic import Talk
from simulators.radio.world import World

_GATEWAYS_AN_AREA: Final = 8
_AHEAD: Final = 2  # chunks that areas may be ahead of the slowest


class Area(NamedTuple):
    """A part of the territory: its gateways, and the devices that are of notice there."""

    gateways: Longs
    devices: Longs
    talk: Talk
    air: Air
    near: Singles
    longest_us: int
    demodulators: list[int]


class Share(NamedTuple):
    """What one area says of the frames that ended in a chunk: of each that was not too weak, its best and its copies.

    `ended` (devices of the area) counts all of them. `by_gateway` (gateways of the area, causes) counts them too.
    """

    device: Ints
    turn: Ints
    factor: Bytes
    best: Bytes
    copies: Shorts
    ended: Longs
    by_gateway: Longs


def groups(placed: Placed, size: int = _GATEWAYS_AN_AREA) -> list[Longs]:
    """Return the gateways of each area: side by side from west to east, then from south to north."""
    columns = max(1, round(np.sqrt(len(placed.gateway_xy_m) / size)))
    by_x = np.argsort(placed.gateway_xy_m[:, 0], kind="stable")
    found = []
    for strip in np.array_split(by_x, columns):
        by_y = strip[np.argsort(placed.gateway_xy_m[strip, 1], kind="stable")]
        count = max(1, round(len(by_y) / size))
        found += [np.sort(part) for part in np.array_split(by_y, count)]
    return found


def area(settled: World, gains: Singles, gateways: Longs) -> Area:
    """Return an area whose gateways have these gains (gateways, devices); `settled` has none of its own."""
    talk, air = Talk(*map(_writable, settled.talk)), Air(*map(_writable, settled.air))
    level_mw = gains.max(axis=0).astype(np.float64) * talk.power_mw.astype(np.float64)
    devices = np.flatnonzero(level_mw >= air.floor_mw[talk.factor])
    place = np.full(len(settled.radio.gateways), -1, dtype=np.int64)
    place[gateways] = np.arange(len(gateways))
    closed = air.closed_us[place[air.closed_us[:, 0]] >= 0].copy()
    closed[:, 0] = place[closed[:, 0]]
    return Area(
        gateways=gateways,
        devices=devices,
        talk=talk,
        air=air._replace(gain=gains, closed_us=closed, number=gateways.astype(np.int32)),
        near=np.ascontiguousarray(gains.T),
        longest_us=int(talk.airtime_us.max()),
        demodulators=[settled.demodulators[one] for one in gateways],
    )


def hear(here: Area, carried: Carried, start_us: int, end_us: int, until_us: int) -> tuple[Carried, Share]:
    """Hear one chunk at one area."""
    fresh = traffic.frames(here.talk, start_us, end_us, here.devices)
    before = carried._replace(state=carried.state.copy())  # a task may be computed twice
    chunk, left = engine.step(before, fresh, here.air, here.near, here.longest_us, start_us, until_us)
    return left, _share(here, chunk.frames.take(chunk.done), np.ascontiguousarray(chunk.outcome[:, chunk.done]))


def _share(here: Area, frames: Frames, outcome: Bytes) -> Share:
    best, copies = best_of(outcome)
    told = best > WEAK
    rows = [np.bincount(row, minlength=len(CAUSES)) for row in outcome]
    return Share(
        frames.device[told], frames.turn[told], frames.factor[told], best[told], copies[told],
        np.bincount(np.searchsorted(here.devices, frames.device), minlength=len(here.devices)),
        np.array(rows, dtype=np.int64),
    )  # fmt: skip


class Sum:
    """Puts together what areas say, chunk by chunk; `devices` are those of each area."""

    def __init__(self, settled: World, gateways: Sequence[Longs], devices: Sequence[Ints]) -> None:
        self._talk, self._gateways, self._devices = settled.talk, gateways, devices
        stands, count = len(settled.radio.gateways), len(settled.fleet)
        self._by_factor = np.zeros((FACTORS, len(CAUSES)), dtype=np.int64)
        self._by_gateway = np.zeros((stands, len(CAUSES)), dtype=np.int64)
        self._sent = np.zeros(count, dtype=np.int64)
        self._delivered = np.zeros(count, dtype=np.int64)
        self._by_copies = np.zeros(stands + 1, dtype=np.int64)
        self._by_chunk: list[tuple[int, int]] = []
        noticed = np.zeros(count, dtype=np.bool_)
        for some in devices:
            noticed[some] = True
        self._alone = np.flatnonzero(~noticed)

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
        for gateways, share in zip(self._gateways, shares, strict=True):
            self._by_gateway[gateways] += share.by_gateway
            self._by_gateway[gateways, WEAK] += sent.sum() - share.ended.sum()
        self._by_chunk.append((int(sent.sum()), int((best == RECEIVED).sum())))

    def _ended(self, shares: Sequence[Share], start_us: int, end_us: int, until_us: int) -> Longs:
        """Return how many frames of each device ended; those that nobody notices are counted here."""
        sent = np.zeros(len(self._sent), dtype=np.int64)
        for devices, share in zip(self._devices, shares, strict=True):
            sent[devices] = share.ended
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


def run(
    placed: Placed, client: Any, *, chunk_us: int = HOUR_US, area_gateways: int = _GATEWAYS_AN_AREA
) -> tuple[World, Result]:
    """Run a scenario on a cluster through its `distributed.Client`; raise ConfigurationError for one that listens.

    Returns what was settled, without gains, and what became of the frames.
    """
    if placed.radio.listens:
        raise ConfigurationError("devices that listen (ADR, joins, acknowledgements) run in one process, without Dask")
    began = time.perf_counter()
    gateways = groups(placed, area_gateways)
    (where,) = client.scatter([placed], broadcast=True, hash=False)
    gains = [client.submit(_gains, where, some, pure=False) for some in gateways]
    settled = world.settle(placed, np.empty((len(placed.radio.gateways), 0), np.float32), _best(client, gains))
    (same,) = client.scatter([settled], broadcast=True, hash=False)
    areas = [client.submit(area, same, gain, some, pure=False) for gain, some in zip(gains, gateways, strict=True)]
    carried = [client.submit(_silent, one, pure=False) for one in areas]
    total = Sum(settled, gateways, client.gather([client.submit(_devices_of, one, pure=False) for one in areas]))
    edges = [*range(0, settled.duration_us, chunk_us), settled.duration_us]
    waiting: list[tuple[list[Any], int, int, int]] = []
    for start_us, end_us in pairwise(edges):
        until_us = end_us if end_us < settled.duration_us else FOR_EVER_US
        both = [
            client.submit(hear, one, left, start_us, end_us, until_us, pure=False)
            for one, left in zip(areas, carried, strict=True)
        ]
        carried = [client.submit(_first, one, pure=False) for one in both]
        waiting.append(([client.submit(_second, one, pure=False) for one in both], start_us, end_us, until_us))
        if len(waiting) > _AHEAD:
            _gather(client, total, waiting.pop(0))
    for one in waiting:
        _gather(client, total, one)
    return settled, total.result(time.perf_counter() - began)


def _best(client: Any, gains: Sequence[Any]) -> Singles:
    """Return each device's best gain anywhere, one area after the other."""
    best = None
    for one in gains:
        here = client.submit(_best_of_area, one, pure=False).result()
        best = here if best is None else np.maximum(best, here)
    assert best is not None, "a scenario has gateways"
    return np.asarray(best)


def _gather(client: Any, total: Sum, chunk: tuple[list[Any], int, int, int]) -> None:
    shares, start_us, end_us, until_us = chunk
    total.add(client.gather(shares), start_us, end_us, until_us)


# What tasks do besides: functions of a module, since a cluster's processes look them up by their names.


def _writable(value: Any) -> Any:
    """Return an array as it is compiled for: what comes over the wire may only be read."""
    return value.copy() if isinstance(value, np.ndarray) and not value.flags.writeable else value


def _gains(placed: Placed, gateways: Longs) -> Singles:
    ground = placed.ground
    own = Placed(*map(_writable, placed))
    return placing.gains(own._replace(ground=ground and Ground(*map(_writable, ground))), gateways)


def _best_of_area(gains: Singles) -> Singles:
    return np.asarray(gains.max(axis=0))


def _silent(here: Area) -> Carried:
    return engine.silence(here.demodulators)


def _devices_of(here: Area) -> Ints:
    return here.devices.astype(np.int32)


def _first(both: tuple[Carried, Share]) -> Carried:
    return both[0]


def _second(both: tuple[Carried, Share]) -> Share:
    return both[1]
