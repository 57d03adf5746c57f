"""Runs a territory whose devices listen: ADR during the run, confirmed frames, joins, answers.

Every frame may depend on what the network said a second before, so frames are taken one after the other, in the order
of time, on one core; chunks of time only bound memory.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.lorawan.airtime import airtime_us
from simulators.radio import kernel, traffic
from simulators.radio.air import FACTORS, Air, Bytes, Frames, Heard, Ints, Longs, Singles, State
from simulators.radio.counting import Count, Result
from simulators.radio.devices import IDLE, SECOND_US, Agenda, Devices, Log, Rules, begin, pop, send
from simulators.radio.engine import CAPACITY, FOR_EVER_US, HOUR_US, CrowdedAirError
from simulators.radio.jit import compiled
from simulators.radio.outcomes import CONFIRMED
from simulators.radio.scenario import SETTLED, Radio
from simulators.radio.server import (
    CHIRPSTACK,
    HISTORY,
    NO_ADR,
    REASONS,
    RX1_DBM,
    RX2_DBM,
    SEMTECH,
    WAYS,
    Downlink,
    Server,
    conclude,
)  # fmt: skip
from simulators.radio.thresholds import sensitivity_dbm
from simulators.radio.world import World

_ALGORITHMS: Final = {SETTLED: NO_ADR, "chirpstack": CHIRPSTACK, "semtech": SEMTECH}
_BYTES: Final = 256
_TX_POWERS: Final = 8
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


@compiled
def _put(frames: Frames, on_air: Ints, count: int, frame: int) -> None:
    """Insert a frame among those on the air: by their end, the last first; ties by device."""
    place = count
    while place > 0:
        other = on_air[place - 1]
        if frames.end_us[other] > frames.end_us[frame] or (
            frames.end_us[other] == frames.end_us[frame] and frames.device[other] > frames.device[frame]
        ):
            break
        on_air[place] = other
        place -= 1
    on_air[place] = frame


@compiled
def _advance(  # noqa: PLR0917
    devices: Devices, server: Server, rules: Rules, down: Downlink, agenda: Agenda, log: Log, arrival_us: Longs,
    arrival: Ints, cursor: int, until_us: int, last_us: int, air: Air, gains: Singles, state: State, outcome: Bytes,
) -> tuple[int, int, int]:  # fmt: skip
    """Take all that happens until `until_us` in the order of time, or until there is no room; none starts at `last_us`.

    Return how many arrivals are behind us, where it stopped, and how many frames the state had no room for.
    """
    frames, room = log.frames, len(log.kind)
    on_air = np.empty(room, dtype=np.int32)
    count, crowded, stop_us = 0, 0, min(until_us, last_us)
    for frame in range(log.used[0]):
        _put(frames, on_air, count, frame)
        count += 1
    while True:
        arrives_us = arrival_us[cursor] if cursor < len(arrival_us) else FOR_EVER_US
        planned_us = agenda.time_us[0] if agenda.size[0] > 0 else FOR_EVER_US
        now_us = min(arrives_us, planned_us)
        if now_us >= stop_us:
            now_us = until_us
        if count > 0 and frames.end_us[on_air[count - 1]] <= now_us:
            count -= 1
            kernel.leave(frames, on_air[count], air, state, outcome)
            conclude(devices, server, rules, down, agenda, air, state, log, on_air[count], outcome)
            continue
        if now_us == until_us:
            break
        first = log.used[0]
        if first == room:
            break
        if arrives_us <= planned_us:
            device = arrival[cursor]
            cursor += 1
            if begin(devices, rules, device, now_us):
                send(devices, rules, agenda, log, device, now_us)
        else:
            send(devices, rules, agenda, log, pop(agenda), now_us)
        if log.used[0] > first:
            crowded += kernel.enter(frames, first, air, gains, state, outcome)
            _put(frames, on_air, count, first)
            count += 1
    kernel.finish(frames, now_us, 0, len(state.used), air, state, outcome)
    return cursor, now_us, crowded


def _table(*, crc: bool) -> Longs:
    rows = [[airtime_us(size, sf, crc=crc) for size in range(_BYTES)] for sf in range(7, 7 + FACTORS)]
    return np.array(rows, dtype=np.int64)


def _rules(world: World) -> Rules:
    radio = world.radio
    return Rules(
        airtime_us=_table(crc=True),
        lock_us=traffic.locks_us(np.arange(FACTORS, dtype=np.uint8)) * radio.preamble_rule,
        power_mw=(10 ** ((radio.eirp_dbm - 2.0 * np.arange(_TX_POWERS)) / 10)).astype(np.float32),
        channels=radio.channels,
        joins=radio.joins,
        rx1_us=radio.rx1_delay_s * SECOND_US,
        seed=radio.seed,
    )


def _downlink(radio: Radio) -> Downlink:
    antenna_dbi = np.array([one.antenna_dbi for one in radio.gateways])
    return Downlink(
        algorithm=_ALGORITHMS[radio.adr],
        margin_db=radio.margin_db,
        rx2_factor=radio.rx2_spreading_factor - 7,
        airtime_us=_table(crc=False),
        rx1_mw=10 ** ((RX1_DBM - antenna_dbi) / 10),
        rx2_mw=10 ** ((RX2_DBM - antenna_dbi) / 10),
        sensitivity_mw=np.power(10.0, np.array(sensitivity_dbm(radio.device_chip)) / 10),
    )


def _devices(world: World) -> Devices:
    """Return the devices as they are switched on: those that the network adapts begin at SF12."""
    fleets, fleet, count = world.radio.fleets, world.fleet, len(world.fleet)
    adaptive = np.array([one.spreading_factor == 0 for one in fleets])[fleet] & (world.radio.adr != SETTLED)

    def each(name: str, kind: type) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        return np.array([getattr(one, name) for one in fleets], dtype=kind)[fleet]

    bytes_, ints, longs = np.uint8, np.int32, np.int64
    return Devices(
        payload_bytes=each("payload_bytes", ints),
        kind=world.confirmed * np.uint8(CONFIRMED),
        tries=each("tries", bytes_).astype(bytes_),
        adaptive=adaptive.astype(bytes_),
        downlink_share=each("downlink_share", np.float32).astype(np.float32),
        downlink_bytes=each("downlink_bytes", ints),
        factor=np.where(adaptive, FACTORS - 1, world.talk.factor).astype(bytes_),
        power=np.zeros(count, dtype=bytes_),
        transmissions=each("transmissions", bytes_).astype(bytes_),
        f_cnt=np.zeros(count, dtype=ints),
        nonce=np.zeros(count, dtype=ints),
        turn=np.zeros(count, dtype=ints),
        joined=np.zeros(count, dtype=bytes_),
        stage=np.full(count, IDLE, dtype=bytes_),
        sending=np.zeros(count, dtype=bytes_),
        attempt=np.zeros(count, dtype=bytes_),
        heard=np.zeros(count, dtype=bytes_),
        answers=np.zeros(count, dtype=bytes_),
        unheard=np.zeros(count, dtype=ints),
        ready_us=np.zeros(count, dtype=longs),
        silent_us=np.zeros((count, 2), dtype=longs),
        since_us=np.zeros(count, dtype=longs),
        joined_us=np.full(count, -1, dtype=longs),
        messages=np.zeros(count, dtype=ints),
        delivered=np.zeros(count, dtype=ints),
        unsent=np.zeros(count, dtype=ints),
    )


def _server(devices: Devices, gateways: int) -> Server:
    count = len(devices.kind)
    return Server(
        last=np.full(count, -1, dtype=np.int32),
        known=np.zeros(count, dtype=np.uint8),
        at=np.zeros(count, dtype=np.uint8),
        snr_db=np.zeros((count, HISTORY), dtype=np.float32),
        seen=np.zeros((count, HISTORY), dtype=np.int32),
        power=np.zeros(count, dtype=np.uint8),
        transmissions=devices.transmissions.copy(),
        asked=np.zeros(count, dtype=np.uint8),
        silent_us=np.zeros((gateways, 3), dtype=np.int64),
        answers=np.zeros((len(REASONS), len(WAYS)), dtype=np.int64),
    )


class Network:
    """A territory that listens, from switching on to the end of the run."""

    def __init__(self, world: World, *, capacity: int = CAPACITY, room: int = 0) -> None:
        """`room` is how many frames are computed at once; 0 chooses."""
        count = len(world.fleet)
        self._world, self._capacity, self._room = world, capacity, room
        self._rules, self._down = _rules(world), _downlink(world.radio)
        self._devices = _devices(world)
        self._server = _server(self._devices, len(world.radio.gateways))
        self._agenda = Agenda(
            np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int32), np.zeros(1, dtype=np.int32)
        )
        self._factors: list[Longs] = []
        self._joined: list[int] = []

    def heard(self, *, chunk_us: int = HOUR_US) -> Iterator[Heard]:
        """Yield what was heard, chunk by chunk; raise CrowdedAirError."""
        world, last_us = self._world, self._world.duration_us
        state = State.empty(world.radio.channels, world.demodulators, self._capacity)
        gains = np.ascontiguousarray(world.air.gain.T).ravel()
        left = Log(Frames.room(0), np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(1, np.int32))
        undecided = np.zeros((len(world.radio.gateways), 0), dtype=np.uint8)
        for number, from_us in enumerate(range(0, last_us, chunk_us)):
            to_us = min(from_us + chunk_us, last_us)
            until_us = to_us if to_us < last_us else FOR_EVER_US
            arrival_us, arrival, _, _ = traffic.moments(world.talk, from_us, to_us)
            cursor, now_us = 0, from_us
            while now_us < until_us:
                log, outcome = self._log(left, undecided, len(arrival_us))
                cursor, now_us, crowded = _advance(
                    self._devices, self._server, self._rules, self._down, self._agenda, log, arrival_us, arrival,
                    cursor, until_us, last_us, world.air, gains, state, outcome,
                )  # fmt: skip
                if crowded:
                    raise CrowdedAirError
                chunk, undecided = _cut(log, outcome, now_us)
                yield chunk._replace(chunk=number)
                still = np.flatnonzero(~chunk.done)
                state.move(still, len(chunk.done))
                left = Log(chunk.frames.take(still), chunk.kind[still], chunk.f_cnt[still], log.used)
            self._factors.append(np.bincount(self._devices.factor, minlength=FACTORS))
            self._joined.append(int(self._devices.joined.sum()))

    def _log(self, left: Log, undecided: Bytes, arrivals: int) -> tuple[Log, Bytes]:
        """Return room for the next frames, after those that are still on the air."""
        known = len(left.kind)
        room = known + (self._room or 2 * arrivals + _ROOM)
        used = np.full(1, known, np.int32)
        fresh = Log(Frames.room(room), np.zeros(room, np.uint8), np.zeros(room, np.int32), used)
        whole: list[npt.NDArray[Any]] = [*fresh.frames, fresh.kind, fresh.f_cnt]
        for column, part in zip(whole, (*left.frames, left.kind, left.f_cnt), strict=True):
            column[:known] = part
        outcome = np.zeros((len(undecided), room), dtype=np.uint8)
        outcome[:, :known] = undecided
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


def _cut(log: Log, outcome: Bytes, until_us: int) -> tuple[Heard, Bytes]:
    """Return what a chunk's room was filled with, and the outcomes of what is still on the air."""
    used = int(log.used[0])
    frames = log.frames.take(slice(used))
    done = frames.end_us <= until_us
    chunk = Heard(frames, outcome[:, :used], done, log.kind[:used], log.f_cnt[:used])
    return chunk, np.ascontiguousarray(chunk.outcome[:, ~done])


def run(
    world: World, *, chunk_us: int = HOUR_US, also: Callable[[Heard], None] = lambda _heard: None, room: int = 0
) -> tuple[Result, Dialogue]:
    """Count what is heard; hand each chunk to `also`. Raises CrowdedAirError."""
    began = time.perf_counter()
    network = Network(world, room=room)
    count = Count(len(world.fleet), len(world.radio.gateways))
    for chunk in network.heard(chunk_us=chunk_us):
        count.add(chunk)
        also(chunk)
    return count.result(time.perf_counter() - began), network.dialogue()
