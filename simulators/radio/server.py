"""The network's side: adaptive data rate, and which gateway answers, in which window. Compiled.

The best gateway that received a frame answers in RX1 (the uplink's channel and data rate), or else in RX2 (869.525
MHz), if it is in service, not transmitting then, and its duty cycle in that sub-band allows; a join is accepted 5 or
6 s after its request. A gateway cannot hear while it transmits. The device receives an answer above its own
sensitivity: other frames do not disturb it. ADR: see `simulators.lorawan.adr`, whose sums these are.
"""

from typing import Final, NamedTuple

import numpy as np

from simulators.lorawan import adr, eu868
from simulators.radio import chance
from simulators.radio.air import RECEIVED, SPANS, Air, Bytes, Floats, Frames, Ints, Longs, Singles, State
from simulators.radio.devices import (
    JOIN_CHANNELS,
    SECOND_US,
    Agenda,
    Devices,
    Log,
    Rules,
    after,
    asks_for_answer,
)  # fmt: skip
from simulators.radio.jit import compiled, whole
from simulators.radio.kernel import closed, sends_within
from simulators.radio.outcomes import CONFIRMED, JOIN
from simulators.radio.propagation import faded
from simulators.radio.receptions import NOISE_MW, SNR_CEILING_DB, received_mw

NO_ADR: Final = 0
CHIRPSTACK: Final = 1
SEMTECH: Final = 2

# Answers are counted under what made them necessary, in this order, and by how they left.
REASONS: Final = ("join_accept", "acknowledgement", "link_adr", "application", "adr_ack_req")
_ACCEPT: Final = 0
WAYS: Final = ("rx1", "rx2", "not_sent", "received")

HISTORY: Final = adr.HISTORY
_ACCEPT_BYTES: Final = 33  # with a CFList
_DOWN_BYTES: Final = 12  # MHDR, FHDR, MIC
_LINK_ADR_BYTES: Final = 5
_ACCEPT_US: Final = eu868.JOIN_ACCEPT_DELAY_S * SECOND_US
_BANDS: Final = ("M", "L", "P")  # of a gateway's three transmitters' worth: 868.0-868.6, 865-868, RX2
_QUIETS: Final = tuple(
    round(1 / band.duty_cycle - 1) for name in _BANDS for band in eu868.SUB_BANDS if band.name == name
)
_DIPOLE_DB: Final = 2.15  # EIRP over ERP
RX1_DBM: Final = eu868.sub_band(eu868.CHANNELS_HZ[0]).max_erp_dbm + _DIPOLE_DB
RX2_DBM: Final = eu868.sub_band(eu868.RX2_HZ).max_erp_dbm + _DIPOLE_DB

_steps_of = compiled(adr.steps_of)
_spend = compiled(adr.spend)
_transmissions = compiled(adr.transmissions)


class Server(NamedTuple):
    """What the network knows of each device, and of its gateways; and what it has counted.

    `snr_db`, `seen` (devices, 20): the history's SNR and FCnt, a ring. `silent_us` (gateways, 3): until when each may
    not use its sub-bands. `answers` (reasons, ways).
    """

    last: Ints  # FCnt, -1 before
    known: Bytes
    at: Bytes  # where the ring goes on
    snr_db: Singles
    seen: Ints
    power: Bytes
    transmissions: Bytes
    asked: Bytes  # whether a LinkADRReq is on its way
    silent_us: Longs
    answers: Longs


class Downlink(NamedTuple):
    """How the network answers. Durations by spreading factor and bytes (6, 256); powers before the antenna."""

    algorithm: int
    margin_db: float
    rx2_factor: int
    airtime_us: Longs
    rx1_mw: Floats  # (gateways): over the gateway's own antenna, so that the radiated power is what is allowed
    rx2_mw: Floats
    sensitivity_mw: Floats  # of devices, by spreading factor


@compiled
def _reserve(server: Server, air: Air, state: State, gateway: int, at_us: int, airtime_us: int, band: int) -> bool:  # noqa: PLR0917
    """Make a gateway transmit if it can; say whether it does."""
    end_us = at_us + airtime_us
    if at_us < server.silent_us[gateway, band] or closed(air.closed_us, gateway, at_us, end_us):
        return False
    if sends_within(state.sending_us, gateway, at_us, end_us):
        return False
    slot = state.sends[gateway] % SPANS
    state.sending_us[gateway, slot, 0], state.sending_us[gateway, slot, 1] = at_us, end_us
    state.sends[gateway] += 1
    state.deaf_us[gateway] = max(state.deaf_us[gateway], end_us)
    server.silent_us[gateway, band] = end_us + airtime_us * _QUIETS[band]
    return True


@compiled
def _arrives(  # noqa: PLR0917
    down: Downlink, air: Air, gateway: int, device: int, turn: int, power_mw: float, factor: int
) -> bool:
    """Say whether the device receives an answer: the way back is as good as the way there, its fading another."""
    level_mw = power_mw * np.float64(air.gain[gateway, device])
    if air.k_factor >= 0.0:
        level_mw *= faded(air.seed + chance.ANSWER, air.number[gateway], device, turn, air.k_factor)
    return bool(level_mw >= down.sensitivity_mw[factor])


@compiled
def _answer(  # noqa: PLR0917
    server: Server, down: Downlink, rules: Rules, air: Air, state: State, frames: Frames, frame: int, gateway: int,
    size: int, reason: int,
) -> int:  # fmt: skip
    """Answer a frame; return when the device has received it all, or -1."""
    device, turn, end_us = frames.device[frame], frames.turn[frame], frames.end_us[frame]
    factor, channel = frames.factor[frame], frames.channel[frame]
    first_us = end_us + (_ACCEPT_US if reason == _ACCEPT else rules.rx1_us)
    airtime_us = down.airtime_us[factor, size]
    power_mw = down.rx1_mw[gateway]
    way = 0
    if not _reserve(server, air, state, gateway, first_us, airtime_us, 0 if channel < JOIN_CHANNELS else 1):
        first_us += SECOND_US
        factor = down.rx2_factor
        airtime_us = down.airtime_us[factor, size]
        power_mw = down.rx2_mw[gateway]
        way = 1 if _reserve(server, air, state, gateway, first_us, airtime_us, 2) else 2
    server.answers[reason, way] += 1
    if way < 2 and _arrives(down, air, gateway, device, turn, power_mw, factor):
        server.answers[reason, 3] += 1
        return int(first_us + airtime_us)
    return -1


@compiled
def _remember(server: Server, device: int, f_cnt: int, snr_db: float) -> None:
    place = server.at[device]
    server.snr_db[device, place], server.seen[device, place] = snr_db, f_cnt
    server.at[device] = (place + 1) % HISTORY
    server.known[device] = min(HISTORY, server.known[device] + 1)


@compiled
def _wanted(server: Server, down: Downlink, device: int, data_rate: int) -> tuple[int, int, int]:
    """Return the data rate, TXPower and NbTrans that the network wants."""
    known = whole(server.known[device])
    power, again = whole(server.power[device]), whole(server.transmissions[device])
    if down.algorithm == SEMTECH and known < HISTORY:
        return data_rate, power, again
    best_db, first, last = -200.0, 2_147_483_647, -1
    for place in range(known):
        best_db = max(best_db, np.float64(server.snr_db[device, place]))
        first, last = min(first, server.seen[device, place]), max(last, server.seen[device, place])
    steps = _steps_of(best_db, data_rate, down.margin_db)
    if down.algorithm == CHIRPSTACK:
        again = _transmissions(again, known, last - first + 1 - known)
        if steps < 0 and known < HISTORY:
            steps = 0
    data_rate, power = _spend(steps, data_rate, power)
    return data_rate, power, again


@compiled
def _best(frames: Frames, frame: int, outcome: Bytes, air: Air) -> tuple[int, float]:
    """Return the gateway that received a frame best, and its power there; -1 when none did."""
    best, top_mw = -1, 0.0
    for gateway in range(len(outcome)):
        if outcome[gateway, frame] == RECEIVED:
            level_mw = received_mw(frames, frame, air, gateway)
            if level_mw > top_mw:
                best, top_mw = gateway, level_mw
    return best, top_mw


@compiled
def conclude(  # noqa: PLR0917
    devices: Devices, server: Server, rules: Rules, down: Downlink, agenda: Agenda, air: Air, state: State, log: Log,
    frame: int, outcome: Bytes,
) -> None:  # fmt: skip
    """Let the network act on a frame that is over, and the device go on."""
    frames = log.frames
    device, end_us = frames.device[frame], frames.end_us[frame]
    airtime_us = end_us - frames.start_us[frame]
    gateway, level_mw = _best(frames, frame, outcome, air)
    answered_us = -1
    if gateway >= 0 and log.kind[frame] == JOIN:
        answered_us = _answer(
            server, down, rules, air, state, frames, frame, gateway, _ACCEPT_BYTES, _ACCEPT
        )  # fmt: skip
        server.last[device], server.known[device], server.at[device], server.asked[device] = -1, 0, 0, 0
        server.power[device], server.transmissions[device] = 0, 1
    elif gateway >= 0:
        if devices.answers[device] and server.asked[device]:  # it has accepted: what was known of it no longer holds
            server.power[device], server.transmissions[device] = devices.power[device], devices.transmissions[device]
            server.known[device], server.at[device], server.asked[device] = 0, 0, 0
        devices.answers[device] = 0
        answered_us = _data(devices, server, rules, down, air, state, log, frame, gateway, level_mw)
    else:
        devices.answers[device] = 0
    after(devices, rules, agenda, device, airtime_us, end_us, answered_us)
    if answered_us >= 0 and log.kind[frame] == JOIN:
        devices.joined[device], devices.joined_us[device] = 1, answered_us
        devices.f_cnt[device], devices.unheard[device], devices.power[device] = 0, 0, 0


@compiled
def _data(  # noqa: PLR0917
    devices: Devices, server: Server, rules: Rules, down: Downlink, air: Air, state: State, log: Log, frame: int,
    gateway: int, level_mw: float,
) -> int:  # fmt: skip
    """Take in a data frame, answer it where there is something to say; return as `_answer` does."""
    frames = log.frames
    device, turn = frames.device[frame], frames.turn[frame]
    f_cnt, data_rate = log.f_cnt[frame], 5 - whole(frames.factor[frame])
    devices.heard[device] = 1
    fresh = f_cnt > server.last[device]
    wanted = (data_rate, whole(server.power[device]), whole(server.transmissions[device]))
    if fresh:
        server.last[device] = f_cnt
        _remember(server, device, f_cnt, min(10 * np.log10(level_mw / NOISE_MW), SNR_CEILING_DB))
    if down.algorithm != NO_ADR and devices.adaptive[device] and fresh:
        wanted = _wanted(server, down, device, data_rate)
    change = wanted != (data_rate, whole(server.power[device]), whole(server.transmissions[device]))
    told = fresh and chance.uniform(rules.seed, chance.DOWNLINK, device, turn) < devices.downlink_share[device]
    confirmed = log.kind[frame] == CONFIRMED
    if not (confirmed or change or told or asks_for_answer(devices, device)):
        return -1
    size = _DOWN_BYTES + (_LINK_ADR_BYTES if change else 0) + (1 + devices.downlink_bytes[device] if told else 0)
    reason = 1 if confirmed else 2 if change else 3 if told else 4
    answered_us = _answer(server, down, rules, air, state, frames, frame, gateway, size, reason)
    if change:
        server.asked[device] = 1
    if change and answered_us >= 0:
        devices.factor[device] = 5 - wanted[0]
        devices.power[device], devices.transmissions[device] = wanted[1], wanted[2]
        devices.answers[device] = 1
    return answered_us
