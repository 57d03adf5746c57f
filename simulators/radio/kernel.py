"""Decides at each gateway what becomes of each frame. Compiled.

Two ways through the same rules: `hear` takes gateway after gateway through many frames (gateways are shared by the
cores), `enter` and `leave` take one frame through all gateways, for those who must know before the next is sent.

A frame at a gateway is, in this order: too weak; sent while the gateway is out of service, or itself transmits; without
a free demodulator; destroyed by interference; received. A gateway that begins to transmit during a frame loses it, and
its demodulator stays taken. Interference is the energy of all other frames on its channel, summed by their spreading
factor over the time they overlap it, against the frame's own energy (the rule of ns-3's LoRa module; Goursaud and
Gorce 2015 for the thresholds). A frame too weak to be received still interferes. LoRaSim's rule: see `thresholds`.
"""

from typing import Final

import numpy as np

from simulators.radio.air import (
    ENERGY,
    FACTORS,
    HALF_DUPLEX,
    INTERFERED,
    LORASIM_MENDED,
    NO_DEMODULATOR,
    OUT_OF_SERVICE,
    PENDING,
    RECEIVED,
    SPANS,
    WEAK,
    Air,
    Bytes,
    Floats,
    Frames,
    Ints,
    Longs,
    Singles,
    State,
)  # fmt: skip
from simulators.radio.jit import compiled, inlined, parallel, prange
from simulators.radio.propagation import faded

# Gains have 24 bits: equality means within a millionth (4e-6 dB).
_STRICT: Final = 1 + 1e-6  # same factor: the frame must exceed the threshold
_LENIENT: Final = 1 - 1e-6  # another factor: it must reach it


@compiled
def closed(spans: Longs, gateway: int, start_us: int, end_us: int) -> bool:
    """Say whether the gateway is out of service within a frame."""
    low, high = 0, len(spans)
    while low < high:  # the first span of this gateway that ends after the frame's start
        middle = (low + high) // 2
        if spans[middle, 0] < gateway or (spans[middle, 0] == gateway and spans[middle, 2] <= start_us):
            low = middle + 1
        else:
            high = middle
    return low < len(spans) and spans[low, 0] == gateway and spans[low, 1] < end_us


@compiled
def sends_within(sending_us: Longs, gateway: int, start_us: int, end_us: int) -> bool:
    """Say whether a gateway transmits at any time from `start_us` to before `end_us`."""
    for span in range(SPANS):
        if sending_us[gateway, span, 0] < end_us and start_us < sending_us[gateway, span, 1]:
            return True
    return False


# The functions below pass arrays one by one: taking them from a tuple, or a view of them, costs more than what they do.
# A lane is one channel of one gateway.


@compiled
def _survives(thresholds: Floats, factor: int, own: float, energy: Floats, lane: int, place: int) -> bool:  # noqa: PLR0917
    for other in range(FACTORS):
        disturbing = energy[lane, place, other]
        if disturbing > 0.0:
            margin = _STRICT if other == factor else _LENIENT
            if not own >= thresholds[factor, other] * disturbing * margin:
                return False
    return True


@inlined
def _settle(  # noqa: PLR0917
    until_us: int, gateway: int, lane: int, lock_us: Longs, end_us: Longs, factor: Bytes, index: Ints, power: Floats,
    energy: Floats, used: int, outcome: Bytes, thresholds: Floats,
) -> int:  # fmt: skip
    """Decide the frames of a lane that ended by `until_us`, keep the others in order; return how many stay."""
    kept = 0
    for place in range(used):
        frame = index[lane, place]
        if end_us[frame] > until_us:
            if kept != place:
                index[lane, kept], power[lane, kept] = frame, power[lane, place]
                for other in range(FACTORS):
                    energy[lane, kept, other] = energy[lane, place, other]
            kept += 1
        elif outcome[gateway, frame] == PENDING:
            own = power[lane, place] * (end_us[frame] - lock_us[frame])
            if _survives(thresholds, factor[frame], own, energy, lane, place):
                outcome[gateway, frame] = RECEIVED
            else:
                outcome[gateway, frame] = INTERFERED
    return kept


@inlined
def _add(  # noqa: PLR0917
    frame: int, received: float, lane: int, start_us: Longs, lock_us: Longs, end_us: Longs, factor: Bytes, rule: int,
    index: Ints, power: Floats, energy: Floats, last: int,
) -> None:  # fmt: skip
    """Put a frame into a lane: it disturbs those that are there, and they disturb it."""
    begin, end, sf, locked = start_us[frame], end_us[frame], factor[frame], lock_us[frame]
    for other in range(FACTORS):
        energy[lane, last, other] = 0.0
    for place in range(last):
        rival = index[lane, place]
        if rule == ENERGY:
            shared_end = min(end, end_us[rival])
            energy[lane, place, sf] += received * max(0, shared_end - max(begin, lock_us[rival]))
            energy[lane, last, factor[rival]] += power[lane, place] * max(0, shared_end - locked)
        elif factor[rival] == sf and locked < end_us[rival]:
            energy[lane, place, sf] = max(energy[lane, place, sf], received * (end_us[rival] - lock_us[rival]))
            if rule == LORASIM_MENDED:
                energy[lane, last, sf] = max(energy[lane, last, sf], power[lane, place] * (end - locked))
    index[lane, last], power[lane, last] = frame, received


@inlined
def _admit(  # noqa: PLR0917
    gateway: int, begin: int, end: int, closed_us: Longs, sending_us: Longs, deaf_us: int, busy_us: Longs
) -> int:
    """Return why the gateway cannot follow a frame, or PENDING once a demodulator is taken for it."""
    if closed(closed_us, gateway, begin, end):
        return OUT_OF_SERVICE
    if begin < deaf_us and sends_within(sending_us, gateway, begin, begin + 1):
        return HALF_DUPLEX
    for slot in range(busy_us.shape[1]):
        if busy_us[gateway, slot] <= begin:
            busy_us[gateway, slot] = end
            return PENDING
    return NO_DEMODULATOR


@compiled
def _listen(  # noqa: PLR0917
    frames: Frames, first: int, last: int, low: int, high: int, gains: Singles, per_device: int, per_gateway: int,
    air: Air, state: State, outcome: Bytes,
) -> int:  # fmt: skip
    """Let frames `first` to `last` arrive at gateways `low` to `high`; return how many found no room.

    `gains` is `air.gain` in one row, of which a device and a gateway are so many steps.
    """
    start_us, lock_us, end_us, device, turn, channel, factor, power_mw = frames
    _, sensitivity_mw, thresholds, rule, floor_mw, k_factor, seed, closed_us, number = air
    index, power, energy, used, busy_us, sending_us, _, deaf_us = state
    channels, capacity = len(used) // len(busy_us), index.shape[1]
    crowded = 0
    for frame in range(first, last):
        sent_mw, least_mw = np.float64(power_mw[frame]), floor_mw[factor[frame]]
        at = per_device * device[frame]
        for gateway in range(low, high):
            received = sent_mw * np.float64(gains[at + per_gateway * gateway])
            if received < least_mw:
                outcome[gateway, frame] = WEAK
                continue
            if k_factor >= 0.0:
                received *= faded(seed, number[gateway], device[frame], turn[frame], k_factor)
            begin, lane = start_us[frame], gateway * channels + channel[frame]
            count = _settle(
                begin, gateway, lane, lock_us, end_us, factor, index, power, energy, used[lane], outcome, thresholds,
            )  # fmt: skip
            if count == capacity:
                crowded += 1
                count -= 1
            _add(frame, received, lane, start_us, lock_us, end_us, factor, rule, index, power, energy, count)
            used[lane] = count + 1
            outcome[gateway, frame] = WEAK
            if received >= sensitivity_mw[factor[frame]]:
                outcome[gateway, frame] = _admit(
                    gateway, begin, end_us[frame], closed_us, sending_us, deaf_us[gateway], busy_us
                )  # fmt: skip
    return crowded


@compiled
def finish(frames: Frames, until_us: int, low: int, high: int, air: Air, state: State, outcome: Bytes) -> None:  # noqa: PLR0917
    """Decide what ended by `until_us` in lanes `low` to `high`."""
    _, lock_us, end_us, _, _, _, factor, _ = frames
    thresholds = air.thresholds
    index, power, energy, used, busy_us, _, _, _ = state
    channels = len(used) // len(busy_us)
    for lane in range(low, high):
        gateway = lane // channels
        used[lane] = _settle(
            until_us, gateway, lane, lock_us, end_us, factor, index, power, energy, used[lane], outcome, thresholds,
        )  # fmt: skip


@parallel
def hear(  # noqa: PLR0917
    frames: Frames, first: int, last: int, until_us: int, air: Air, state: State, outcome: Bytes
) -> int:
    """Fill `outcome` (gateways, frames) for frames `first` to `last`; return how many found no room: must be 0.

    Frames before `first` are already in the state. Frames that end after `until_us` stay in it, undecided.
    """
    gateways, devices = air.gain.shape
    channels = len(state.used) // gateways
    gains = air.gain.ravel()
    crowded = np.zeros(gateways, dtype=np.int64)
    for gateway in prange(gateways):
        crowded[gateway] = _listen(
            frames, first, last, gateway, gateway + 1, gains, 1, devices, air, state, outcome
        )  # fmt: skip
        finish(frames, until_us, gateway * channels, (gateway + 1) * channels, air, state, outcome)
    return int(crowded.sum())


@compiled
def enter(frames: Frames, frame: int, air: Air, gains: Singles, state: State, outcome: Bytes) -> int:  # noqa: PLR0917
    """Let a frame arrive at all gateways; `gains` is `air.gain` by device, then gateway. Return as `hear` does."""
    gateways = len(outcome)
    return _listen(frames, frame, frame + 1, 0, gateways, gains, gateways, 1, air, state, outcome)


@compiled
def leave(frames: Frames, frame: int, air: Air, state: State, outcome: Bytes) -> None:
    """Decide a frame that is over, at all gateways: lost where one transmitted meanwhile."""
    start_us, end_us, channels = frames.start_us[frame], frames.end_us[frame], len(state.used) // len(outcome)
    for gateway in range(len(outcome)):
        if outcome[gateway, frame] == PENDING:
            lane = gateway * channels + frames.channel[frame]
            finish(frames, end_us, lane, lane + 1, air, state, outcome)
        heard = outcome[gateway, frame] >= INTERFERED and start_us < state.deaf_us[gateway]
        if heard and sends_within(state.sending_us, gateway, start_us, end_us):
            outcome[gateway, frame] = HALF_DUPLEX
