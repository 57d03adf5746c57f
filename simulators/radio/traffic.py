"""When devices transmit: by a period with jitter, or as a Poisson process of the same mean."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.lorawan.airtime import airtime_us
from simulators.lorawan.eu868 import MAC_OVERHEAD_BYTES
from simulators.radio import chance
from simulators.radio.air import Bytes, Floats, Frames, Ints, Longs, Singles
from simulators.radio.jit import compiled, parallel, prange

PERIODIC: Final = 0
POISSON: Final = 1
MOST_A_BIN: Final = 12  # a Poisson number of mean 1 exceeds it once in 1.6 thousand million
_LOCK_SYMBOLS: Final = 3  # of eight: a receiver needs the last five to lock (Bor et al. 2016)


class Talk(NamedTuple):
    """How devices talk, one row a device; `pattern` is PERIODIC or POISSON, `jitter` a share of the period."""

    period_s: Floats
    factor: Bytes
    airtime_us: Longs
    lock_us: Longs  # how much of its start may be disturbed without harm
    power_mw: Singles
    jitter: float
    pattern: int
    channels: int
    seed: int


def airtimes_us(payload_bytes: npt.NDArray[Any], factor: Bytes) -> Longs:
    """Return the time on air of each device's frames: FRMPayload and 13 bytes of LoRaWAN."""
    table = np.array(
        [[airtime_us(size + MAC_OVERHEAD_BYTES, sf) for size in range(256)] for sf in range(7, 13)], dtype=np.int64
    )
    return np.asarray(table[factor, payload_bytes])


def locks_us(factor: Bytes) -> Longs:
    """Return how long a frame may be disturbed before its receiver must have locked."""
    return _LOCK_SYMBOLS * (1 << (factor.astype(np.int64) + 7)) * 8


@compiled
def _poisson(seed: int, device: int, turn: int) -> int:
    """Return a Poisson number of mean 1, by inversion."""
    ticket, term, total = chance.uniform(seed, chance.ARRIVALS, device, turn), np.exp(-1.0), np.exp(-1.0)
    number = 0
    while ticket > total and number < MOST_A_BIN:
        number += 1
        term /= number
        total += term
    return number


@compiled
def _moment(seed: int, device: int, turn: int, period_us: float, jitter: float) -> int:
    """Return when a periodic device talks for the `turn`-th time."""
    phase = chance.uniform(seed, chance.PHASE, device, 0)
    moved = jitter * (chance.uniform(seed, chance.JITTER, device, turn) - 0.5)
    return int((phase + turn + moved) * period_us)


@compiled
def _turns(  # noqa: PLR0917 - compiled
    device: int, from_us: int, to_us: int, period_us: float, jitter: float, pattern: int, seed: int,
    starts: Longs, turns: Ints, place: int,
) -> int:  # fmt: skip
    """Write the device's frames that start in [from, to) at `place` and on (nowhere when negative); count them."""
    found = 0
    first, last = int(from_us / period_us) - 2, int(to_us / period_us) + 2
    for turn in range(max(0, first), last):
        copies = _poisson(seed, device, turn) if pattern == POISSON else 1
        for copy in range(copies):
            if pattern == POISSON:
                within = chance.uniform(seed, chance.JITTER, device, turn * (MOST_A_BIN + 1) + copy)
                at = int((turn + within) * period_us)
            else:
                at = _moment(seed, device, turn, period_us, jitter)
            if from_us <= at < to_us:
                if place >= 0:
                    starts[place + found] = at
                    turns[place + found] = turn * (MOST_A_BIN + 1) + copy
                found += 1
    return found


@parallel
def _count(  # noqa: PLR0917
    who: Longs, period_s: Floats, from_us: int, to_us: int, jitter: float, pattern: int, seed: int, counts: Longs
) -> None:
    nothing, none = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
    for one in prange(len(who)):
        device = who[one]
        counts[one] = _turns(device, from_us, to_us, period_s[device] * 1e6, jitter, pattern, seed, nothing, none, -1)


@parallel
def _fill(  # noqa: PLR0917
    who: Longs, period_s: Floats, from_us: int, to_us: int, jitter: float, pattern: int, seed: int,
    channels: int, places: Longs, starts: Longs, turns: Ints, devices: Ints, on: Bytes,
) -> None:  # fmt: skip
    for one in prange(len(who)):
        device, begin, end = who[one], places[one], places[one + 1]
        _turns(device, from_us, to_us, period_s[device] * 1e6, jitter, pattern, seed, starts, turns, begin)
        for place in range(begin, end):
            devices[place] = device
            on[place] = chance.bits(seed, chance.CHANNEL, device, turns[place]) % np.uint64(channels)


def moments(
    talk: Talk, from_us: int, to_us: int, who: npt.NDArray[np.intp] | None = None
) -> tuple[Longs, Ints, Ints, Bytes]:
    """Return when devices (all, or those of `who`) have something to say in [from, to), by time; ties by device.

    Start, device, turn, and the channel that a device without duty cycle would take.
    """
    whose = np.arange(len(talk.period_s)) if who is None else who
    counts = np.empty(len(whose), dtype=np.int64)
    how = (talk.jitter, talk.pattern, talk.seed)
    _count(whose, talk.period_s, from_us, to_us, *how, counts)
    places = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    total = int(places[-1])
    starts, turns = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int32)
    devices, on = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.uint8)
    _fill(whose, talk.period_s, from_us, to_us, *how, talk.channels, places, starts, turns, devices, on)
    order = np.argsort(starts, kind="stable")
    return starts[order], devices[order], turns[order], on[order]


def frames(talk: Talk, from_us: int, to_us: int, who: npt.NDArray[np.intp] | None = None) -> Frames:
    """Return the frames that start in [from, to), by their start; ties by device."""
    starts, devices, turns, on = moments(talk, from_us, to_us, who)
    return Frames(
        start_us=starts,
        lock_us=starts + talk.lock_us[devices],
        end_us=starts + talk.airtime_us[devices],
        device=devices,
        turn=turns,
        channel=on,
        factor=talk.factor[devices],
        power_mw=talk.power_mw[devices],
    )
