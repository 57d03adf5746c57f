"""A scenario's devices and its network at the moment that everything is switched on, and the rules that they keep."""

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulators.lorawan.airtime import airtime_us
from simulators.radio import traffic
from simulators.radio.air import FACTORS, Longs
from simulators.radio.devices import ANSWER_BYTES, HEADER_BYTES, IDLE, JOIN_BYTES, SECOND_US, Devices, Rules
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
)  # fmt: skip
from simulators.radio.thresholds import sensitivity_dbm
from simulators.radio.world import World

_ALGORITHMS: Final = {SETTLED: NO_ADR, "chirpstack": CHIRPSTACK, "semtech": SEMTECH}
_BYTES: Final = 256
_TX_POWERS: Final = 8


@cache
def _table(*, crc: bool) -> Longs:
    rows = [[airtime_us(size, sf, crc=crc) for size in range(_BYTES)] for sf in range(7, 7 + FACTORS)]
    return np.array(rows, dtype=np.int64)


def rules(world: World) -> Rules:
    """Return what all devices keep to."""
    radio, airtimes_us = world.radio, _table(crc=True)
    largest = max(one.payload_bytes for one in radio.fleets) + HEADER_BYTES + ANSWER_BYTES
    return Rules(
        airtime_us=airtimes_us,
        lock_us=traffic.locks_us(np.arange(FACTORS, dtype=np.uint8)) * radio.preamble_rule,
        power_mw=(10 ** ((radio.eirp_dbm - 2.0 * np.arange(_TX_POWERS)) / 10)).astype(np.float32),
        longest_us=int(airtimes_us[-1, max(largest, JOIN_BYTES)]),
        channels=radio.channels,
        joins=radio.joins,
        rx1_us=radio.rx1_delay_s * SECOND_US,
        seed=radio.seed,
    )


def downlink(radio: Radio) -> Downlink:
    """Return how the network answers."""
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


def devices(world: World) -> Devices:
    """Return the devices: those that the network adapts begin at SF12."""
    fleets, fleet, count = world.radio.fleets, world.fleet, len(world.fleet)
    adaptive = np.array([one.spreading_factor == 0 for one in fleets])[fleet] & (world.radio.adr != SETTLED)

    def each(name: str, kind: Any) -> npt.NDArray[Any]:
        return np.asarray(np.array([getattr(one, name) for one in fleets], dtype=kind)[fleet])

    bytes_, ints, longs = np.uint8, np.int32, np.int64
    return Devices(
        payload_bytes=each("payload_bytes", ints),
        kind=world.confirmed * np.uint8(CONFIRMED),
        tries=each("tries", bytes_),
        adaptive=adaptive.astype(bytes_),
        downlink_share=each("downlink_share", np.float32),
        downlink_bytes=each("downlink_bytes", ints),
        factor=np.where(adaptive, FACTORS - 1, world.talk.factor).astype(bytes_),
        power=np.zeros(count, dtype=bytes_),
        transmissions=each("transmissions", bytes_),
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


def server(fleet: Devices, gateways: int) -> Server:
    """Return a network that has heard nothing yet."""
    count = len(fleet.kind)
    return Server(
        last=np.full(count, -1, dtype=np.int32),
        known=np.zeros(count, dtype=np.uint8),
        at=np.zeros(count, dtype=np.uint8),
        snr_db=np.zeros((count, HISTORY), dtype=np.float32),
        seen=np.zeros((count, HISTORY), dtype=np.int32),
        power=np.zeros(count, dtype=np.uint8),
        transmissions=fleet.transmissions.copy(),
        asked=np.zeros(count, dtype=np.uint8),
        silent_us=np.zeros((gateways, 3), dtype=np.int64),
        answers=np.zeros((len(REASONS), len(WAYS)), dtype=np.int64),
    )
