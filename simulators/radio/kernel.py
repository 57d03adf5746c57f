"""Decides at each gateway what becomes of each frame. Compiled; gateways are shared by the cores.

A frame at a gateway is, in this order: too weak; sent while the gateway is out of service, or itself transmits; without
a free demodulator; destroyed by interference; received. Interference is the energy of all other frames on its
channel, summed by their spreading factor over the time they overlap it, against the frame's own energy (the rule of
ns-3's LoRa module; Goursaud and Gorce 2015 for the thresholds). A frame too weak to be received still interferes.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.radio import chance
from simulators.radio.jit import compiled, inlined, parallel, prange

PENDING: Final = 0
WEAK: Final = 1
OUT_OF_SERVICE: Final = 2
HALF_DUPLEX: Final = 3
NO_DEMODULATOR: Final = 4
INTERFERED: Final = 5
RECEIVED: Final = 6
CAUSES: Final = ("pending", "weak", "out_of_service", "half_duplex", "no_demodulator", "interfered", "received")

FACTORS: Final = 6  # SF7 to SF12, as 0 to 5
# Gains have 24 bits: equality means within a millionth (4e-6 dB).
_STRICT: Final = 1 + 1e-6  # same factor: the frame must exceed the threshold
_LENIENT: Final = 1 - 1e-6  # another factor: it must reach it

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]


class Frames(NamedTuple):
    """Frames by their start. Times in microseconds; `lock_us` is from when interference counts.

    `factor` is SF - 7; `power_mw` what is radiated; `turn` numbers the device's frames (fading depends on it).
    """

    start_us: Longs
    lock_us: Longs
    end_us: Longs
    device: Ints
    turn: Ints
    channel: Bytes
    factor: Bytes
    power_mw: Singles

    def take(self, index: npt.NDArray[Any]) -> "Frames":
        """Return some of the frames."""
        return Frames(*(column[index] for column in self))

    @staticmethod
    def joined(first: "Frames", second: "Frames") -> "Frames":
        """Return both, in this order."""
        columns: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = list(zip(first, second, strict=True))
        return Frames(*(np.concatenate(pair) for pair in columns))


class State(NamedTuple):
    """What gateways remember from one hour to the next: frames on the air, and until when demodulators are taken.

    Shapes: (gateways, channels, capacity), with a last axis of 6 for `energy`; (gateways, channels) for `used`;
    (gateways, demodulators) for `busy_us`. `frame` is a frame's place in the arrays of the current hour.
    """

    frame: Ints
    power: Floats
    energy: Floats
    used: Ints
    busy_us: Longs

    @staticmethod
    def empty(gateways: int, channels: int, demodulators: int, capacity: int) -> "State":
        """Return the state of a silent air."""
        return State(
            frame=np.zeros((gateways, channels, capacity), dtype=np.int32),
            power=np.zeros((gateways, channels, capacity)),
            energy=np.zeros((gateways, channels, capacity, FACTORS)),
            used=np.zeros((gateways, channels), dtype=np.int32),
            busy_us=np.full((gateways, demodulators), np.iinfo(np.int64).min, dtype=np.int64),
        )


class Air(NamedTuple):
    """What does not change: linear gain (gateways, devices), sensitivities and thresholds (linear), fading.

    `closed_us` (n, 3) lists (gateway, from, to) out of service, `sending_us` the same for transmissions; both sorted
    by gateway, then time. `floor_mw` (by factor) is below any notice. `k_factor` is Rice's (0: Rayleigh), negative
    without fading.
    """

    gain: Singles
    sensitivity_mw: Floats
    thresholds: Floats
    floor_mw: Floats
    k_factor: float
    seed: int
    closed_us: Longs
    sending_us: Longs


@compiled
def _overlaps(spans: Longs, gateway: int, start_us: int, end_us: int) -> bool:
    low, high = 0, len(spans)
    while low < high:  # the first span of this gateway that ends after the frame's start
        middle = (low + high) // 2
        if spans[middle, 0] < gateway or (spans[middle, 0] == gateway and spans[middle, 2] <= start_us):
            low = middle + 1
        else:
            high = middle
    return low < len(spans) and spans[low, 0] == gateway and spans[low, 1] < end_us


@compiled
def faded(seed: int, gateway: int, device: int, turn: int, k_factor: float) -> float:
    """Return the power of a fading channel of mean 1: Rice's with this K, Rayleigh's when K is 0."""
    item = np.int64(device) * 4096 + gateway
    if k_factor == 0.0:
        return chance.exponential(seed, chance.FADING, item, turn)
    line = math.sqrt(k_factor / (k_factor + 1.0))
    spread = math.sqrt(0.5 / (k_factor + 1.0))
    real = line + spread * chance.normal(seed, chance.FADING, item, 2 * turn)
    imaginary = spread * chance.normal(seed, chance.FADING, item, 2 * turn + 1)
    return real * real + imaginary * imaginary


@compiled
def _survives(  # noqa: PLR0917 - compiled: arrays, not objects; and indexes, since a view costs more than the work
    thresholds: Floats, factor: int, own: float, energy: Floats, on: int, place: int
) -> bool:
    for other in range(FACTORS):
        disturbing = energy[on, place, other]
        if disturbing > 0.0:
            margin = _STRICT if other == factor else _LENIENT
            if not own >= thresholds[factor, other] * disturbing * margin:
                return False
    return True


@inlined
def _settle(  # noqa: PLR0917
    until_us: int,
    lock_us: Longs,
    end_us: Longs,
    factor: Bytes,
    on: int,
    index: Ints,
    power: Floats,
    energy: Floats,
    used: int,
    outcome: Bytes,
    thresholds: Floats,
) -> int:
    """Decide the frames of one channel that ended by `until_us`, keep the others in order; return how many stay."""
    kept = 0
    for place in range(used):
        frame = index[on, place]
        if end_us[frame] <= until_us:
            if outcome[frame] == PENDING:
                own = power[on, place] * (end_us[frame] - lock_us[frame])
                survives = _survives(thresholds, factor[frame], own, energy, on, place)
                outcome[frame] = RECEIVED if survives else INTERFERED
        else:
            if kept != place:
                index[on, kept], power[on, kept] = frame, power[on, place]
                for other in range(FACTORS):
                    energy[on, kept, other] = energy[on, place, other]
            kept += 1
    return kept


@inlined
def _add(  # noqa: PLR0917
    frame: int,
    received: float,
    lock_us: Longs,
    start_us: Longs,
    end_us: Longs,
    factor: Bytes,
    on: int,
    index: Ints,
    power: Floats,
    energy: Floats,
    used: int,
) -> None:
    """Put a frame on the air of one channel: it disturbs those that are there, and they disturb it."""
    begin, end, sf, locked = start_us[frame], end_us[frame], factor[frame], lock_us[frame]
    for other in range(FACTORS):
        energy[on, used, other] = 0.0
    for place in range(used):
        rival = index[on, place]
        shared_end = min(end, end_us[rival])
        energy[on, place, sf] += received * max(0, shared_end - max(begin, lock_us[rival]))
        energy[on, used, factor[rival]] += power[on, place] * max(0, shared_end - locked)
    index[on, used], power[on, used] = frame, received


@inlined
def _admit(  # noqa: PLR0917
    gateway: int,
    begin: int,
    end: int,
    received: float,
    sensitivity_mw: float,
    closed_us: Longs,
    sending_us: Longs,
    busy_us: Longs,
) -> int:
    """Return why the gateway cannot follow a frame, or PENDING once a demodulator is taken for it."""
    if received < sensitivity_mw:
        return WEAK
    if _overlaps(closed_us, gateway, begin, end):
        return OUT_OF_SERVICE
    if _overlaps(sending_us, gateway, begin, end):
        return HALF_DUPLEX
    for slot in range(len(busy_us)):
        if busy_us[slot] <= begin:
            busy_us[slot] = end
            return PENDING
    return NO_DEMODULATOR


@parallel
def hear(  # noqa: PLR0917 - compiled: arrays, not objects
    start_us: Longs,
    lock_us: Longs,
    end_us: Longs,
    device: Ints,
    turn: Ints,
    channel: Bytes,
    factor: Bytes,
    power_mw: Singles,
    first_new: int,
    until_us: int,
    gain: Singles,
    sensitivity_mw: Floats,
    thresholds: Floats,
    floor_mw: Floats,
    k_factor: float,
    seed: int,
    closed_us: Longs,
    sending_us: Longs,
    index: Ints,
    power: Floats,
    energy: Floats,
    used: Ints,
    busy_us: Longs,
    outcome: Bytes,
) -> int:
    """Fill `outcome` (gateways, frames); return how many frames found no room in the state: must be 0.

    Frames before `first_new` are already in the state. Frames that end after `until_us` stay in it, undecided.
    """
    gateways, channels, capacity = index.shape
    overflow = np.zeros(gateways, dtype=np.int64)
    for gateway in prange(gateways):
        mine, row, busy = outcome[gateway], gain[gateway], busy_us[gateway]
        where, there, heard, inside = index[gateway], power[gateway], energy[gateway], used[gateway]
        for frame in range(first_new, len(start_us)):
            received = np.float64(power_mw[frame]) * np.float64(row[device[frame]])
            if received < floor_mw[factor[frame]]:
                mine[frame] = WEAK
                continue
            if k_factor >= 0.0:
                received *= faded(seed, gateway, device[frame], turn[frame], k_factor)
            begin, on = start_us[frame], channel[frame]
            count = _settle(begin, lock_us, end_us, factor, on, where, there, heard, inside[on], mine, thresholds)
            if count == capacity:
                overflow[gateway] += 1
                count -= 1
            _add(frame, received, lock_us, start_us, end_us, factor, on, where, there, heard, count)
            inside[on] = count + 1
            least = sensitivity_mw[factor[frame]]
            mine[frame] = _admit(gateway, begin, end_us[frame], received, least, closed_us, sending_us, busy)
        for on in range(channels):
            inside[on] = _settle(
                until_us, lock_us, end_us, factor, on, where, there, heard, inside[on], mine, thresholds
            )
    return int(overflow.sum())
