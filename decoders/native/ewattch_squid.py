"""Ewattch Squid and Squid Pro: twelve current clamps.

Source: Ewattch, SQUID-HC-LORAWAN Technical manual, version 1.1, pages 9-10; Squid Pro Rogowski, "Description des
trames LoRaWAN" (ewattch-documentation.com); the examples of the vendor's codec in github.com/actility/
device-catalog, vendors/ewattch.
Byte map, little-endian, any port:  FF SS object data  object data ..
  F  00 periodic, 01 on an event, 10 status of the sensor (nothing measured)
  S  size of what follows
  objects, 12 x 3 bytes unless said:
  48     charge of each clamp, 0.01 A.h (Squid)
  40 C3  active energy imported, 10 W.h     40 C5  exported           40 C4  active power, int24 1 W
  40 C6  reactive energy imported, 10 var.h 40 C7  exported           40 C8  reactive power, int24 1 var
  40 3A  three voltages, uint16 0.1 V       40 1C  frequency, uint16 0.01 Hz
An energy that has rolled over keeps its highest bit set for ever (FFFFFF is followed by 800000): the lower 23
bits are taken, so that it rolls over in one way.
Channels are the clamps, 1 to 12, or the phases of the voltages, 1 to 3.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = (
    *("electric_charge", "active_energy_import", "active_energy_export", "active_power"),
    *("reactive_energy_import", "reactive_energy_export", "reactive_power", "voltage", "frequency"),
)

MODELS: Final = (
    Model("ewattch-squid", "Ewattch", "Squid", _QUANTITIES, 600, ("ewattch squid",)),
    Model("ewattch-squid-pro", "Ewattch", "Squid Pro", _QUANTITIES, 600, ("ewattch squid pro",)),
)


class _Object(NamedTuple):
    """The values of an object: how many, of how many bytes, and what they are."""

    quantity: str
    divisor: int
    size: int = 3
    number: int = 12
    signed: bool = False
    mask: int = 0xFFFFFF


_ENERGY_MASK: Final = 0x7FFFFF
_OBJECTS: Final[Mapping[int, _Object]] = {
    0x48: _Object("electric_charge", 100),
}
_EXTENDED: Final = 0x40
_EXTENDED_OBJECTS: Final[Mapping[int, _Object]] = {
    0xC3: _Object("active_energy_import", 100, mask=_ENERGY_MASK),
    0xC4: _Object("active_power", 1, signed=True),
    0xC5: _Object("active_energy_export", 100, mask=_ENERGY_MASK),
    0xC6: _Object("reactive_energy_import", 100, mask=_ENERGY_MASK),
    0xC7: _Object("reactive_energy_export", 100, mask=_ENERGY_MASK),
    0xC8: _Object("reactive_power", 1, signed=True),
    0x3A: _Object("voltage", 10, size=2, number=3),
    0x1C: _Object("frequency", 100, size=2, number=1),
}
_MEASURES: Final = (0x00, 0x01)
_STATUS: Final = 0x10


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if len(payload) < 2 or payload[1] != len(payload) - 2:
        raise DecodeError(f"{len(payload)} bytes, not what the frame says")
    if payload[0] == _STATUS:
        return []
    if payload[0] not in _MEASURES:
        raise DecodeError(f"frame type {payload[0]:#04x}")
    readings: list[Reading] = []
    at = 2
    while at < len(payload):
        found, at = _object(payload, at)
        end = at + found.size * found.number
        if end > len(payload):
            raise DecodeError(f"{found.quantity} ends early")
        readings += _values(payload, at, found)
        at = end
    return readings


def _object(payload: bytes, at: int) -> tuple[_Object, int]:
    code, table, at = payload[at], _OBJECTS, at + 1
    if code == _EXTENDED and at < len(payload):
        code, table, at = payload[at], _EXTENDED_OBJECTS, at + 1
    if code not in table:
        raise DecodeError(f"object {code:#04x}")
    return table[code], at


def _values(payload: bytes, at: int, found: _Object) -> list[Reading]:
    readings = []
    for place in range(found.number):
        start = at + place * found.size
        value = int.from_bytes(payload[start : start + found.size], "little", signed=found.signed)
        channel = place + 1 if found.number > 1 else 0
        kept = value if found.signed else value & found.mask
        readings.append(Reading(found.quantity, kept / found.divisor, channel))
    return readings
