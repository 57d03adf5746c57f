"""Enless Wireless TX frames, LoRaWAN 600 series: a head, the values of the kind of device, alarms, state.

Source: Enless Wireless, npm package enless-lorawan-codec 1.0.5 (ISC); the vendor's examples in
github.com/TheThingsNetwork/lorawan-devices, vendor/enless-wireless.
Byte map, big-endian:  II II II TT NN FF, the values, AA AA SS SS
  I  identity, N sequence, F firmware: not kept
  T  kind of device: says which values follow
  A  alarms: a bit for each threshold and leak; any of them is an alarm
  S  bits 3-2 battery: 0 100 %, 1 75 %, 2 50 %, 3 25 %; the low byte is given back for the bits of each product
"""

from collections.abc import Mapping
from struct import Struct
from typing import Final, NamedTuple

from domain.errors import DecodeError
from domain.readings import Reading

STATES: Final = ("alarm", "battery_level")


class Value(NamedTuple):
    """What one number of the values goes to, and what it is divided by."""

    quantity: str
    divisor: int = 1
    channel: int = 0


class Kind(NamedTuple):
    """How one kind of device packs its values, and what each one is; numbers after the last are not kept."""

    packed: Struct
    values: tuple[Value, ...]


TEMPERATURE: Final = Value("temperature", 10)
HUMIDITY: Final = Value("humidity", 10)

_HEAD_SIZE: Final = 6
_STATE_SIZE: Final = 4


def decode_tx(payload: bytes, kinds: Mapping[int, Kind]) -> tuple[list[Reading], int]:
    """Return the readings of a frame of one of these kinds of device, and its state byte; raise DecodeError."""
    if len(payload) <= _HEAD_SIZE:
        raise DecodeError(f"{len(payload)} bytes")
    kind = kinds.get(payload[3])
    if kind is None:
        raise DecodeError(f"unknown kind of device {payload[3]:#04x}")
    size = _HEAD_SIZE + kind.packed.size + _STATE_SIZE
    if len(payload) != size:
        raise DecodeError(f"{len(payload)} bytes, not {size}")
    numbers = kind.packed.unpack_from(payload, _HEAD_SIZE)
    readings = [
        Reading(value.quantity, number / value.divisor, value.channel)
        for value, number in zip(kind.values, numbers, strict=False)
    ]
    state = payload[-1]
    readings.append(Reading("alarm", int(payload[-4:-2] != b"\0\0")))
    readings.append(Reading("battery_level", 100 - 25 * (state >> 2 & 3)))
    return readings, state
