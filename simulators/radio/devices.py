"""The device's side of LoRaWAN: when it sends, on what channel, how often again, what it does with an answer. Compiled.

Class A. A device has one message at a time: what comes up meanwhile is not sent. It keeps to the duty cycle of both
sub-bands of its channels. Sources: TS001-1.0.4 (4.3.1.1 ADR back-off, 6.2.7 join back-off); RP002-1.0.4, 2.4;
LoRaWAN 1.0.3, 18.4 (a confirmed frame's data rate falls every second try).
"""

from typing import Final, NamedTuple

import numpy as np

from simulators.radio import chance
from simulators.radio.air import FACTORS, Bytes, Frames, Ints, Longs, Singles
from simulators.radio.jit import compiled, whole
from simulators.radio.outcomes import CONFIRMED, JOIN

# What a device is doing.
IDLE: Final = 0
WAITING: Final = 1  # it is in the agenda
ON_AIR: Final = 2  # its frame is, or its windows are open

JOIN_CHANNELS: Final = 3
JOIN_BYTES: Final = 23
HEADER_BYTES: Final = 13  # MHDR 1, FHDR 7, FPort 1, MIC 4
ANSWER_BYTES: Final = 2  # LinkADRAns
LISTEN_US: Final = 200_000  # how long a window without a frame stays open
SECOND_US: Final = 1_000_000
_QUIET: Final = 99  # after a frame of 1, at a duty cycle of 1 %
_HOUR_US: Final = 3_600 * SECOND_US
_JOIN_QUIETS: Final = (99, 999, 9999)  # times a join's air: in the first hour, in the next ten, after them
_ADR_ACK_LIMIT: Final = 64
_ADR_ACK_DELAY: Final = 32


class Devices(NamedTuple):
    """One row a device. `kind` is what it sends, `sending` what it is sending now (outcomes.UNCONFIRMED, …)."""

    payload_bytes: Ints
    kind: Bytes
    tries: Bytes  # of a confirmed frame
    adaptive: Bytes  # its ADR bit
    downlink_share: Singles
    downlink_bytes: Ints

    factor: Bytes
    power: Bytes  # TXPower, 0 to 7
    transmissions: Bytes  # NbTrans
    f_cnt: Ints
    nonce: Ints
    turn: Ints  # frames sent so far, of any kind
    joined: Bytes
    stage: Bytes
    sending: Bytes
    attempt: Bytes
    heard: Bytes  # whether any gateway received the message that it is sending
    answers: Bytes  # whether its next frame carries LinkADRAns
    unheard: Ints  # uplinks since it last heard anything (ADR_ACK_CNT)
    ready_us: Longs  # when its windows are closed
    silent_us: Longs  # (devices, 2): until when it may not use 868.0-868.6 MHz, 865-868 MHz
    since_us: Longs  # when it began to join
    joined_us: Longs  # when it was granted; -1 before

    messages: Ints
    delivered: Ints
    unsent: Ints  # came up while the device was busy, or had not joined


class Agenda(NamedTuple):
    """A binary heap of (time, device): when devices that wait send. `size` has one number."""

    time_us: Longs
    device: Ints
    size: Ints


class Rules(NamedTuple):
    """What is the same for all: durations by spreading factor and bytes (6, 256), powers by TXPower (8)."""

    airtime_us: Longs
    lock_us: Longs
    power_mw: Singles
    longest_us: int  # no frame of this run lasts longer
    channels: int
    joins: bool
    rx1_us: int
    seed: int


class Log(NamedTuple):
    """The chunk's frames as they are sent, and what each is; `used` has one number.

    `previous` is the frame before each on its channel, `latest` the last of each channel; -1 for none.
    """

    frames: Frames
    kind: Bytes
    f_cnt: Ints
    used: Ints
    previous: Ints
    latest: Ints


@compiled
def push(agenda: Agenda, time_us: int, device: int) -> None:
    """Put a device into the agenda."""
    place = agenda.size[0]
    agenda.size[0] += 1
    while place > 0:
        parent = (place - 1) // 2
        if agenda.time_us[parent] < time_us or (agenda.time_us[parent] == time_us and agenda.device[parent] < device):
            break
        agenda.time_us[place], agenda.device[place] = agenda.time_us[parent], agenda.device[parent]
        place = parent
    agenda.time_us[place], agenda.device[place] = time_us, device


@compiled
def pop(agenda: Agenda) -> int:
    """Take the device whose turn is next; ties by device."""
    first = agenda.device[0]
    agenda.size[0] -= 1
    size = agenda.size[0]
    time_us, device = agenda.time_us[size], agenda.device[size]
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            agenda.time_us[other] < agenda.time_us[child]
            or (agenda.time_us[other] == agenda.time_us[child] and agenda.device[other] < agenda.device[child])
        ):
            child = other
        if time_us < agenda.time_us[child] or (time_us == agenda.time_us[child] and device < agenda.device[child]):
            break
        agenda.time_us[place], agenda.device[place] = agenda.time_us[child], agenda.device[child]
        place = child
    agenda.time_us[place], agenda.device[place] = time_us, device
    return int(first)


@compiled
def begin(devices: Devices, rules: Rules, device: int, now_us: int) -> bool:
    """Take up a message; say whether the device has something to send now: the message, or its request to join."""
    if devices.stage[device] != IDLE:
        devices.unsent[device] += 1
        return False
    devices.attempt[device] = 0
    if rules.joins and not devices.joined[device]:
        devices.unsent[device] += 1
        devices.sending[device] = JOIN
        devices.since_us[device] = now_us
    else:
        devices.messages[device] += 1
        devices.heard[device] = 0
        devices.sending[device] = devices.kind[device]
        if devices.adaptive[device]:
            _back_off(devices, device)
        devices.unheard[device] += 1
    return True


@compiled
def _back_off(devices: Devices, device: int) -> None:
    """Give power back, then slow down, when the network has said nothing for too long (4.3.1.1)."""
    over = devices.unheard[device] - _ADR_ACK_LIMIT
    if over >= _ADR_ACK_DELAY and over % _ADR_ACK_DELAY == 0:
        if devices.power[device] > 0:
            devices.power[device] = 0
        elif devices.factor[device] < FACTORS - 1:
            devices.factor[device] += 1
        else:
            devices.transmissions[device] = 1


@compiled
def asks_for_answer(devices: Devices, device: int) -> bool:
    """Say whether the device's frames bear ADRACKReq."""
    return bool(devices.adaptive[device] == 1 and devices.unheard[device] > _ADR_ACK_LIMIT)


@compiled
def _factor(devices: Devices, device: int) -> int:
    """Return the spreading factor of the next try: joins go through all, confirmed frames slow down."""
    if not devices.adaptive[device]:
        return whole(devices.factor[device])
    if devices.sending[device] == JOIN:
        return whole(devices.attempt[device] % FACTORS)
    if devices.sending[device] == CONFIRMED:
        return min(FACTORS - 1, whole(devices.factor[device]) + whole(devices.attempt[device]) // 2)
    return whole(devices.factor[device])


@compiled
def _channel(devices: Devices, rules: Rules, device: int, now_us: int) -> int:
    """Return a free channel by chance, or a negative number when duty cycles leave none."""
    channels = JOIN_CHANNELS if devices.sending[device] == JOIN else rules.channels
    low, high = min(channels, JOIN_CHANNELS), max(0, channels - JOIN_CHANNELS)
    free_low = low if devices.silent_us[device, 0] <= now_us else 0
    free_high = high if devices.silent_us[device, 1] <= now_us else 0
    if free_low + free_high == 0:
        return -1
    ticket = chance.bits(rules.seed, chance.CHANNEL, device, devices.turn[device]) % np.uint64(free_low + free_high)
    return int(ticket) if int(ticket) < free_low else int(ticket) - free_low + low


@compiled
def send(devices: Devices, rules: Rules, agenda: Agenda, log: Log, device: int, now_us: int) -> None:  # noqa: PLR0917
    """Put the device's next frame on the air, or into the agenda when it may not send yet."""
    if now_us < devices.ready_us[device]:
        devices.stage[device] = WAITING
        push(agenda, devices.ready_us[device], device)
        return
    channel = whole(_channel(devices, rules, device, now_us))
    if channel < 0:
        wait_us = devices.silent_us[device, 0]
        if devices.sending[device] != JOIN and rules.channels > JOIN_CHANNELS:
            wait_us = min(wait_us, devices.silent_us[device, 1])
        devices.stage[device] = WAITING
        push(agenda, wait_us, device)
        return
    kind, factor = devices.sending[device], _factor(devices, device)
    size = JOIN_BYTES
    if kind != JOIN:
        size = HEADER_BYTES + devices.payload_bytes[device] + ANSWER_BYTES * devices.answers[device]
    airtime_us = rules.airtime_us[factor, size]
    frames, place = log.frames, log.used[0]
    frames.start_us[place] = now_us
    frames.lock_us[place] = now_us + rules.lock_us[factor]
    frames.end_us[place] = now_us + airtime_us
    frames.device[place] = device
    frames.turn[place] = devices.turn[device]
    frames.channel[place] = channel
    frames.factor[place] = factor
    frames.power_mw[place] = rules.power_mw[0 if kind == JOIN else devices.power[device]]
    log.kind[place] = kind
    log.f_cnt[place] = devices.nonce[device] if kind == JOIN else devices.f_cnt[device]
    log.previous[place] = log.latest[channel]
    log.latest[channel] = place
    log.used[0] += 1
    devices.turn[device] += 1
    devices.stage[device] = ON_AIR
    devices.silent_us[device, 0 if channel < JOIN_CHANNELS else 1] = now_us + airtime_us * (1 + _QUIET)


@compiled
def after(  # noqa: PLR0917
    devices: Devices, rules: Rules, agenda: Agenda, device: int, airtime_us: int, end_us: int, answered_us: int
) -> None:
    """Go on after a frame whose windows are over; `answered_us` is when an answer had arrived, negative for none."""
    kind = devices.sending[device]
    if answered_us >= 0:
        devices.unheard[device] = 0
        devices.ready_us[device] = answered_us
    else:
        windows_us = (6 * SECOND_US if kind == JOIN else rules.rx1_us + SECOND_US) + LISTEN_US
        devices.ready_us[device] = end_us + windows_us
    devices.attempt[device] = min(255, devices.attempt[device] + 1)
    if kind == JOIN:
        devices.nonce[device] += 1
        again = answered_us < 0
    else:
        most = devices.tries[device] if kind == CONFIRMED else devices.transmissions[device]
        again = answered_us < 0 and devices.attempt[device] < most
    if not again:
        devices.f_cnt[device] += kind != JOIN
        devices.delivered[device] += kind != JOIN and devices.heard[device]
        devices.stage[device] = IDLE
        return
    pause_us = int((1 + 2 * chance.uniform(rules.seed, chance.RETRY, device, devices.turn[device])) * SECOND_US)
    when_us = devices.ready_us[device] + pause_us
    if kind == JOIN:
        tried_us = end_us - devices.since_us[device]
        step = 0 if tried_us < _HOUR_US else 1 if tried_us < 11 * _HOUR_US else 2
        when_us = max(when_us, end_us + airtime_us * _JOIN_QUIETS[step])
    devices.stage[device] = WAITING
    push(agenda, when_us, device)
