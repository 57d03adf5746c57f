"""Decides at each gateway what becomes of each frame. Compiled.

As a frame begins, a gateway follows it or not: it is too weak; or sent while the gateway is out of service, or itself
transmits; or no demodulator is free. As it ends, what was followed is received, or destroyed by interference: the
energy of all other frames on its channel, summed by their spreading factor over the time they overlap it, against the
frame's own energy (the rule of ns-3's LoRa module; Goursaud and Gorce 2015 for the thresholds). A frame too weak to be
received still interferes. A gateway that begins to transmit during a frame loses it, and its demodulator stays taken.
LoRaSim's rule: see `thresholds`.

Interference is looked for where it matters: among the frames of one channel about a frame that some gateway follows.
`hear` takes many frames, gateways and then frames shared by the cores; `enter` and `leave` take one, for those who
must know before the next is sent.
"""

from typing import Final, NamedTuple

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
from simulators.radio.jit import compiled, inlined, parallel, prange, whole
from simulators.radio.propagation import faded, faded_mw

# Gains have 24 bits: equality means within a millionth (4e-6 dB).
_STRICT: Final = 1 + 1e-6  # same factor: the frame must exceed the threshold
_LENIENT: Final = 1 - 1e-6  # another factor: it must reach it
_BLOCK: Final = 2048
_CHANNELS: Final = 256


class Desk(NamedTuple):
    """Where one core works out one frame: the gateways that follow it, and what disturbs it there (gateways, 6)."""

    followers: Ints
    energy: Floats


@compiled
def desk(gateways: int) -> Desk:
    """Return a desk for that many gateways."""
    return Desk(np.empty(gateways, dtype=np.int32), np.empty((gateways, FACTORS)))


@compiled
def linked(channel: Bytes) -> tuple[Ints, Ints, Ints]:
    """Return the frame before each on its channel, the one after it (-1: none), and the last of each channel."""
    previous, following = np.empty(len(channel), dtype=np.int32), np.full(len(channel), -1, dtype=np.int32)
    latest = np.full(_CHANNELS, -1, dtype=np.int32)
    for frame in range(len(channel)):
        before = latest[channel[frame]]
        previous[frame] = before
        if before >= 0:
            following[before] = frame
        latest[channel[frame]] = frame
    return previous, following, latest


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


# The two functions below pass arrays one by one: taking them from a tuple costs more than what they do.


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
def _survives(thresholds: Floats, factor: int, own: float, energy: Floats, place: int) -> bool:
    for other in range(FACTORS):
        disturbing = energy[place, other]
        if disturbing > 0.0:
            margin = _STRICT if other == factor else _LENIENT
            if not own >= thresholds[factor, other] * disturbing * margin:
                return False
    return True


@compiled
def _shared_us(frames: Frames, frame: int, rival: int, rule: int) -> int:
    """Return how long a rival disturbs a frame."""
    _, lock_us, end_us, _, _, _, factor, _ = frames
    if rule == ENERGY:
        return whole(min(end_us[frame], end_us[rival]) - max(lock_us[frame], frames.start_us[rival]))
    if factor[rival] != factor[frame]:
        return 0
    later = rival > frame and lock_us[rival] < end_us[frame]
    earlier = rule == LORASIM_MENDED and rival < frame and lock_us[frame] < end_us[rival]
    return whole(end_us[frame] - lock_us[frame]) if later or earlier else 0


@compiled
def _disturb(frames: Frames, rival: int, shared_us: int, count: int, air: Air, near: Singles, desk: Desk) -> None:  # noqa: PLR0917
    """Add what a rival does to a frame, at each of the first `count` gateways of the desk."""
    who, sf, turn = frames.device[rival], frames.factor[rival], frames.turn[rival]
    sent_mw, least_mw = np.float64(frames.power_mw[rival]), air.floor_mw[sf]
    followers, energy = desk
    for place in range(count):
        gateway = followers[place]
        level = sent_mw * np.float64(near[who, gateway])
        if level < least_mw:
            continue
        if air.k_factor >= 0.0:
            level *= faded(air.seed, air.number[gateway], who, turn, air.k_factor)
        if air.rule == ENERGY:
            energy[place, sf] += level * shared_us
        else:
            energy[place, sf] = max(energy[place, sf], level * shared_us)


@compiled
def _decide(  # noqa: PLR0917
    frames: Frames, frame: int, newest: int, previous: Ints, longest_us: int, air: Air, near: Singles, outcome: Bytes,
    desk: Desk,
) -> None:  # fmt: skip
    """Decide a frame at the gateways that follow it; `newest` is the last on its channel that began before its end.

    No frame lasts longer than `longest_us`. `near` is `air.gain` by device, then gateway.
    """
    count = 0
    for gateway in range(len(outcome)):
        if outcome[gateway, frame] == PENDING:
            desk.followers[count] = gateway
            outcome[gateway, frame] = RECEIVED
            desk.energy[count] = 0.0
            count += 1
    if count == 0:
        return
    locked, disturbed, rival = frames.lock_us[frame], False, newest
    while rival >= 0 and frames.start_us[rival] + longest_us > locked:
        shared_us = _shared_us(frames, frame, rival, air.rule)
        if shared_us > 0 and rival != frame:
            disturbed = True
            _disturb(frames, rival, shared_us, count, air, near, desk)
        rival = previous[rival]
    if not disturbed:
        return
    who, turn, factor = frames.device[frame], frames.turn[frame], frames.factor[frame]
    strength = np.float64(frames.power_mw[frame]) * (frames.end_us[frame] - locked)
    for place in range(count):
        gateway = desk.followers[place]
        own = strength * np.float64(near[who, gateway])
        if air.k_factor >= 0.0:
            own *= faded(air.seed, air.number[gateway], who, turn, air.k_factor)
        if not _survives(air.thresholds, factor, own, desk.energy, place):
            outcome[gateway, frame] = INTERFERED


@compiled
def _follow(frames: Frames, first: int, gateway: int, air: Air, state: State, outcome: Bytes) -> None:  # noqa: PLR0917
    """Let the frames from `first` on begin at a gateway."""
    start_us, _, end_us, device, turn, _, factor, power_mw = frames
    _, sensitivity_mw, _, _, floor_mw, k_factor, seed, closed_us, number = air
    busy_us, sending_us, _, deaf_us = state
    gain, said = air.gain[gateway], outcome[gateway]
    least_mw = floor_mw if k_factor >= 0.0 else sensitivity_mw
    for frame in range(first, len(start_us)):
        mean_mw = np.float64(power_mw[frame]) * np.float64(gain[device[frame]])
        if mean_mw < least_mw[factor[frame]]:
            said[frame] = WEAK
            continue
        if k_factor >= 0.0:
            enough_mw = sensitivity_mw[factor[frame]]
            if faded_mw(mean_mw, enough_mw, seed, number[gateway], device[frame], turn[frame], k_factor) < enough_mw:
                said[frame] = WEAK
                continue
        said[frame] = _admit(
            gateway, start_us[frame], end_us[frame], closed_us, sending_us, deaf_us[gateway], busy_us
        )  # fmt: skip


@parallel
def hear(  # noqa: PLR0917
    frames: Frames, first: int, since_us: int, until_us: int, longest_us: int, previous: Ints, following: Ints,
    air: Air, near: Singles, state: State, outcome: Bytes,
) -> None:  # fmt: skip
    """Fill `outcome` (gateways, frames) of frames that end after `since_us` and by `until_us`.

    Frames before `first` have begun already. Frames that end later have begun, and are not decided.
    """
    gateways, count = len(outcome), len(frames.start_us)
    for gateway in prange(gateways):
        _follow(frames, first, gateway, air, state, outcome)
    for block in prange((count + _BLOCK - 1) // _BLOCK):
        own, start = desk(gateways), whole(block) * _BLOCK
        for frame in range(start, min(count, start + _BLOCK)):
            end_us = frames.end_us[frame]
            if since_us < end_us <= until_us:
                newest = frame
                while following[newest] >= 0 and frames.start_us[following[newest]] < end_us:
                    newest = following[newest]
                _decide(frames, frame, newest, previous, longest_us, air, near, outcome, own)


@compiled
def enter(frames: Frames, frame: int, air: Air, near: Singles, state: State, outcome: Bytes) -> None:  # noqa: PLR0917
    """Let one frame begin at all gateways."""
    start_us, _, end_us, device, turn, _, factor, power_mw = frames
    _, sensitivity_mw, _, _, floor_mw, k_factor, seed, closed_us, number = air
    busy_us, sending_us, _, deaf_us = state
    who, enough_mw = device[frame], sensitivity_mw[factor[frame]]
    least_mw = floor_mw[factor[frame]] if k_factor >= 0.0 else enough_mw
    for gateway in range(len(outcome)):
        mean_mw = np.float64(power_mw[frame]) * np.float64(near[who, gateway])
        level_mw = float(mean_mw)
        if mean_mw >= least_mw and k_factor >= 0.0:
            level_mw = faded_mw(mean_mw, enough_mw, seed, number[gateway], who, turn[frame], k_factor)
        outcome[gateway, frame] = WEAK
        if level_mw >= enough_mw:
            outcome[gateway, frame] = _admit(
                gateway, start_us[frame], end_us[frame], closed_us, sending_us, deaf_us[gateway], busy_us
            )  # fmt: skip


@compiled
def leave(  # noqa: PLR0917
    frames: Frames, frame: int, newest: int, previous: Ints, longest_us: int, air: Air, near: Singles, state: State,
    outcome: Bytes, desk: Desk,
) -> None:  # fmt: skip
    """Decide one frame that is over, at all gateways: lost where one transmitted meanwhile."""
    _decide(frames, frame, newest, previous, longest_us, air, near, outcome, desk)
    start_us, end_us = frames.start_us[frame], frames.end_us[frame]
    for gateway in range(len(outcome)):
        heard = outcome[gateway, frame] >= INTERFERED and start_us < state.deaf_us[gateway]
        if heard and sends_within(state.sending_us, gateway, start_us, end_us):
            outcome[gateway, frame] = HALF_DUPLEX
