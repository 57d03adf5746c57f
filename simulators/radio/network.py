"""Runs a territory whose devices listen: ADR during the run, confirmed frames, joins, answers.

Every frame may depend on what the network said a second before, so frames are taken one after the other, in the order
of time, on one core (`events`); chunks of time only bound memory.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.radio import kernel, switched_on, traffic
from simulators.radio.air import FACTORS, Bytes, Frames, Heard, Ints, Longs, State
from simulators.radio.counting import Count, Result
from simulators.radio.devices import Agenda, Log
from simulators.radio.engine import FOR_EVER_US, HOUR_US
from simulators.radio.events import advance
from simulators.radio.world import World

_ROOM: Final = 10_000


class Dialogue(NamedTuple):
    """What the two sides said, besides the frames that `Result` counts.

    `messages` came up while the device could send, `delivered` of them reached a gateway, `unsent` came up while it
    was busy or had not joined; each (devices). `answers` (reasons, ways) as in `server`. By chunk of time: `factors`
    (chunks, 6) says how many devices use each spreading factor, `joined` (chunks) how many have joined.
    `joined_us` (devices): when, -1 never.
    """

    messages: Ints
    delivered: Ints
    unsent: Ints
    answers: Longs
    factors: Longs
    joined: Longs
    joined_us: Longs
    power: Bytes
    transmissions: Bytes


class Network:
    """A territory that listens, from switching on to the end of the run."""

    def __init__(self, world: World, *, room: int = 0) -> None:
        """`room` is how many frames are computed at once; 0 chooses."""
        count = len(world.fleet)
        self._world, self._room = world, room
        self._rules, self._down = switched_on.rules(world), switched_on.downlink(world.radio)
        self._devices = switched_on.devices(world)
        self._server = switched_on.server(self._devices, len(world.radio.gateways))
        self._agenda = Agenda(
            np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int32), np.zeros(1, dtype=np.int32)
        )
        self._factors: list[Longs] = []
        self._joined: list[int] = []

    def heard(self, *, chunk_us: int = HOUR_US) -> Iterator[Heard]:
        """Yield what was heard, chunk by chunk."""
        world, last_us, longest_us = self._world, self._world.duration_us, self._rules.longest_us
        state, near = State.empty(world.demodulators), np.ascontiguousarray(world.air.gain.T)
        left = Heard(Frames.room(0), np.zeros((len(world.air.gain), 0), np.uint8), np.zeros(0, np.bool_))
        for number, from_us in enumerate(range(0, last_us, chunk_us)):
            to_us = min(from_us + chunk_us, last_us)
            until_us = to_us if to_us < last_us else FOR_EVER_US
            arrival_us, arrival, _, _ = traffic.moments(world.talk, from_us, to_us)
            cursor, since_us = 0, from_us
            while since_us < until_us:
                log, outcome = self._log(left, len(arrival_us))
                cursor, now_us = advance(
                    self._devices, self._server, self._rules, self._down, self._agenda, log, arrival_us, arrival,
                    cursor, since_us, until_us, last_us, world.air, near, state, outcome,
                )  # fmt: skip
                chunk = _cut(log, outcome, since_us, now_us)
                yield chunk._replace(chunk=number)
                left, since_us = _taken(chunk, chunk.frames.end_us > now_us - longest_us), now_us
            self._factors.append(np.bincount(self._devices.factor, minlength=FACTORS))
            self._joined.append(int(self._devices.joined.sum()))

    def _log(self, left: Heard, arrivals: int) -> tuple[Log, Bytes]:
        """Return room for the next frames, after those that are or just were on the air.

        One frame's outcomes lie side by side, since frames are taken one by one.
        """
        known = len(left.done)
        room = known + (self._room or 2 * arrivals + _ROOM)
        linked, _, latest = kernel.linked(left.frames.channel)
        fresh = Log(
            Frames.room(room), np.zeros(room, np.uint8), np.zeros(room, np.int32), np.full(1, known, np.int32),
            np.empty(room, np.int32), latest,
        )  # fmt: skip
        whole: list[npt.NDArray[Any]] = [*fresh.frames, fresh.kind, fresh.f_cnt, fresh.previous]
        for column, part in zip(whole, (*left.frames, left.kind, left.f_cnt, linked), strict=True):
            column[:known] = part
        outcome = np.zeros((room, len(left.outcome)), dtype=np.uint8).T
        outcome[:, :known] = left.outcome
        return fresh, outcome

    def dialogue(self) -> Dialogue:
        """Return what was said so far."""
        devices = self._devices
        return Dialogue(
            messages=devices.messages,
            delivered=devices.delivered,
            unsent=devices.unsent,
            answers=self._server.answers,
            factors=np.array(self._factors, dtype=np.int64).reshape(-1, FACTORS),
            joined=np.array(self._joined, dtype=np.int64),
            joined_us=devices.joined_us,
            power=devices.power,
            transmissions=devices.transmissions,
        )


def _cut(log: Log, outcome: Bytes, since_us: int, until_us: int) -> Heard:
    """Return what a chunk's room was filled with."""
    used = int(log.used[0])
    frames = log.frames.take(slice(used))
    done = (frames.end_us > since_us) & (frames.end_us <= until_us)
    return Heard(frames, np.ascontiguousarray(outcome[:, :used]), done, log.kind[:used], log.f_cnt[:used])


def _taken(chunk: Heard, some: npt.NDArray[np.bool_]) -> Heard:
    """Return some of a chunk's frames."""
    return Heard(chunk.frames.take(some), chunk.outcome[:, some], chunk.done[some], chunk.kind[some], chunk.f_cnt[some])


def run(
    world: World, *, chunk_us: int = HOUR_US, also: Callable[[Heard], None] = lambda _heard: None, room: int = 0
) -> tuple[Result, Dialogue]:
    """Count what is heard; hand each chunk to `also`."""
    began = time.perf_counter()
    network = Network(world, room=room)
    count = Count(len(world.fleet), len(world.radio.gateways))
    for chunk in network.heard(chunk_us=chunk_us):
        count.add(chunk)
        also(chunk)
    return count.result(time.perf_counter() - began), network.dialogue()
