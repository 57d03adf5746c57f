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
from typing import Final

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

_Reader = Callable[[bytes], list[Reading]]


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings: list[Reading] = []
    at, probes = 0, 1
    while at < len(payload) and payload[at] != _SETTINGS:
        kind = payload[at]
        if kind not in _TYPES:
            raise DecodeError(f"type {kind:#04x} at byte {at}")
        size, read = _TYPES[kind]
        data = payload[at + 1 : at + 1 + size]
        if len(data) < size:
            raise DecodeError(f"type {kind:#04x} of {len(data)} bytes, {size} expected")
        at += 1 + size
        if kind == _FURTHER_PROBES:
            probes += 1
            readings.append(Reading("temperature", _signed(data) / 10, probes))
        elif read:
            readings += read(data)
    return readings


def _signed(data: bytes) -> int:
    return int.from_bytes(data, signed=True)


def _number(quantity: str, divisor: int = 1, channel: int = 0) -> _Reader:
    if divisor == 1:
        return lambda data: [_new(Reading, (quantity, int.from_bytes(data), channel, 0.0, None))]
    return lambda data: [_new(Reading, (quantity, int.from_bytes(data) / divisor, channel, 0.0, None))]


def _signed_number(quantity: str, divisor: int, channel: int = 0) -> _Reader:
    return lambda data: [_new(Reading, (quantity, _signed(data) / divisor, channel, 0.0, None))]


def _flag(quantity: str) -> _Reader:
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


# Type -> size of its data, and what reads it (None: not kept).
_TYPES: Final[dict[int, tuple[int, _Reader | None]]] = {
    0x01: (2, _signed_number("temperature", 10)),
    0x02: (1, _number("humidity")),
    0x03: (3, _acceleration),
    0x04: (2, _number("illuminance")),
    0x05: (1, _flag("presence")),
    0x06: (2, _number("co2")),
    0x07: (2, _number("battery_voltage", 1000)),
    0x08: (2, _number("analog_voltage", 1000, 1)),
    0x09: (6, _position),
    0x0A: (2, None),
    0x0B: (4, _number("pulse_count", 1, 1)),
    0x0C: (2, _signed_number("temperature", 10, 1)),
    0x0D: (1, _number("digital_input", 1, 1)),
    0x0E: (2, _number("distance", 1000)),
    0x0F: (1, None),
    0x10: (4, _infrared),
    0x11: (1, _flag("presence")),
    0x12: (1, _flag("water_leak")),
    0x13: (65, None),
    0x14: (4, _number("pressure", 1000)),
    0x15: (2, _sound),
    0x16: (2, None),
    0x17: (4, _number("pulse_count", 1, 2)),
    0x18: (2, _number("analog_voltage", 1000, 2)),
    _FURTHER_PROBES: (2, None),
    0x1A: (1, _number("digital_input", 1, 2)),
    0x1B: (4, _signed_number("analog_voltage", 1_000_000, 3)),
    0x1C: (2, _number("tvoc")),
}
