"""Elsys ERS, ERS CO2, ERS Sound, ERS Eye, ERS Desk, ELT, EMS, ESM: one frame form for the whole family.

Source: Elsys, "Elsys LoRa payload" (elsys.se, payload page); the vendor's codec as kept in
github.com/chirpstack/chirpstack-device-profiles, vendors/elsys, with its tests (June 2026).
Byte map, big-endian, port 5 as delivered: a type, then its data, and so on.
  01 temperature int16 0.1 degC     02 humidity uint8 1 %            03 acceleration 3 x int8, 63 is 1 g
  04 illuminance uint16 1 lx        05 motions since the last, uint8  06 CO2 uint16 1 ppm
  07 battery uint16 0.001 V         08 analogue 1 uint16 0.001 V      09 latitude, longitude int24 0.0001 deg
  0A pulses 1 since the last        0B pulses 1 uint32                0C outer temperature int16 0.1 degC
  0D digital 1 uint8                0E distance uint16 1 mm           0F knocks since the last
  10 infrared: own, surface's temperature, int16 0.1 degC             11 occupancy, 0 nobody
  12 water, 0 dry                   13 heat image, 65 bytes           14 pressure uint32 0.001 hPa
  15 sound: peak, mean uint8 1 dB   16 pulses 2 since the last        17 pulses 2 uint32
  18 analogue 2 uint16 0.001 V      19 further outer temperatures     1A digital 2 uint8
  1B analogue int32 0.000001 V      1C TVOC uint16 1 ppb              3E settings: nothing measured after it
Counts since the last frame are no indexes and are not kept, but motions say that somebody was there.
Channels of temperature: 0 the air, 1 and on the outer probes, 9 the surface seen by infrared.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, NamedTuple

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = (
    *("temperature", "humidity", "illuminance", "presence", "co2", "tvoc", "pressure", "sound_level"),
    *("sound_level_peak", "acceleration_x", "acceleration_y", "acceleration_z", "latitude", "longitude"),
    *("distance", "water_leak", "pulse_count", "digital_input", "analog_voltage", "device_temperature"),
    "battery_voltage",
)

MODELS: Final = tuple(
    Model(f"elsys-{name.lower().replace(' ', '-')}", "Elsys", name, _QUANTITIES, 900, (f"elsys {name}",))
    for name in ("ERS", "ERS CO2", "ERS Sound", "ERS Eye", "ERS Desk", "ELT", "EMS", "ESM5K")
)

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time
_SETTINGS: Final = 0x3E
_FURTHER_PROBES: Final = 0x19
_INFRARED_CHANNEL: Final = 9


class _Number(NamedTuple):
    """A type that is one number. `size` is that of its data, in bytes."""

    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]
    quantity: str
    divisor: int = 1
    channel: int = 0


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings: list[Reading] = []
    at, end, probes = 0, len(payload), 1
    while at < end and (kind := payload[at]) != _SETTINGS:
        at += 1
        number = _NUMBERS.get(kind)
        if number is None and kind not in _OTHERS:
            raise DecodeError(f"type {kind:#04x} at byte {at - 1}")
        size = number[0] if number is not None else _OTHERS[kind][0]
        if at + size > end:
            raise DecodeError(f"type {kind:#04x} of {end - at} bytes, {size} expected")
        if number is not None:
            _, unpack, quantity, divisor, channel = number
            (value,) = unpack(payload, at)
            readings.append(_new(Reading, (quantity, value / divisor if divisor > 1 else value, channel, 0.0, None)))
        elif kind == _FURTHER_PROBES:
            probes += 1
            readings.append(Reading("temperature", _signed(payload[at : at + size]) / 10, probes))
        elif read := _OTHERS[kind][1]:
            readings += read(payload[at : at + size])
        at += size
    return readings


def _signed(data: bytes) -> int:
    return int.from_bytes(data, signed=True)


def _flag(quantity: str) -> Callable[[bytes], list[Reading]]:
    return lambda data: [Reading(quantity, int(data[0] != 0))]


def _acceleration(data: bytes) -> list[Reading]:
    return [Reading(f"acceleration_{axis}", _signed(data[i : i + 1]) / 63) for i, axis in enumerate("xyz")]


def _position(data: bytes) -> list[Reading]:
    return [Reading("latitude", _signed(data[:3]) / 10_000), Reading("longitude", _signed(data[3:]) / 10_000)]


def _infrared(data: bytes) -> list[Reading]:
    return [
        Reading("device_temperature", _signed(data[:2]) / 10),
        Reading("temperature", _signed(data[2:]) / 10, _INFRARED_CHANNEL),
    ]


def _sound(data: bytes) -> list[Reading]:
    return [Reading("sound_level_peak", data[0]), Reading("sound_level", data[1])]


_BYTE: Final = 1, Struct(">B").unpack_from
_WORD: Final = 2, Struct(">H").unpack_from
_SIGNED_WORD: Final = 2, Struct(">h").unpack_from
_LONG: Final = 4, Struct(">I").unpack_from
_SIGNED_LONG: Final = 4, Struct(">i").unpack_from

_NUMBERS: Final = {
    0x01: _Number(*_SIGNED_WORD, "temperature", 10),
    0x02: _Number(*_BYTE, "humidity"),
    0x04: _Number(*_WORD, "illuminance"),
    0x06: _Number(*_WORD, "co2"),
    0x07: _Number(*_WORD, "battery_voltage", 1000),
    0x08: _Number(*_WORD, "analog_voltage", 1000, 1),
    0x0B: _Number(*_LONG, "pulse_count", 1, 1),
    0x0C: _Number(*_SIGNED_WORD, "temperature", 10, 1),
    0x0D: _Number(*_BYTE, "digital_input", 1, 1),
    0x0E: _Number(*_WORD, "distance", 1000),
    0x14: _Number(*_LONG, "pressure", 1000),
    0x17: _Number(*_LONG, "pulse_count", 1, 2),
    0x18: _Number(*_WORD, "analog_voltage", 1000, 2),
    0x1A: _Number(*_BYTE, "digital_input", 1, 2),
    0x1B: _Number(*_SIGNED_LONG, "analog_voltage", 1_000_000, 3),
    0x1C: _Number(*_WORD, "tvoc"),
}

# Type -> size of its data, and what reads what is more than a number (None: not kept).
_OTHERS: Final[dict[int, tuple[int, Callable[[bytes], list[Reading]] | None]]] = {
    0x03: (3, _acceleration),
    0x05: (1, _flag("presence")),
    0x09: (6, _position),
    0x0A: (2, None),
    0x0F: (1, None),
    0x10: (4, _infrared),
    0x11: (1, _flag("presence")),
    0x12: (1, _flag("water_leak")),
    0x13: (65, None),
    0x15: (2, _sound),
    0x16: (2, None),
    _FURTHER_PROBES: (2, None),
}
