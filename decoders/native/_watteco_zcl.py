"""Watteco (nke Watteco) standard reports: the frame around every value, and the clusters that measure.

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), Clusters.json and clusters_examples;
support.watteco.com, "ZCL-like" frame and cluster pages.
Byte map, big-endian, f_port 125:
  FF CC LL LL AA AA TT vv ..      report (CC 0A, alarm 8A), then the causes of the report, not read here
  FF 01 LL LL AA AA SS TT vv ..   answer to a read; S status, 00 when it carries a value
  FF ..                           any other command: a configuration's answer, nothing measured
  F  frame control   bit 0: 1 standard report, 0 batch; end point: bits 2-1 (high), 7-5 (low)
  L  cluster, A attribute, T type of the value:
  08-0B, 20-23 unsigned of 1-4 bytes, 18-19 bitmaps, 28-2B signed, 30 enumeration, 10 boolean, 39 float32,
  41-42 string after its length (1 byte), 43 and 4C after its length (2 bytes)
"""

import math
import struct
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from domain.errors import DecodeError
from domain.readings import Reading

PORT: Final = 125
_REPORTS: Final = (0x0A, 0x8A)
_READ_ANSWER: Final = 0x01
_UNSIGNED: Final = {
    kind: size
    for size, kinds in {
        1: (0x08, 0x10, 0x18, 0x20, 0x30),
        2: (0x09, 0x19, 0x21),
        3: (0x0A, 0x22),
        4: (0x0B, 0x23),
    }.items()
    for kind in kinds
}
_SIGNED: Final = {0x28: 1, 0x29: 2, 0x2A: 3, 0x2B: 4}
_LENGTHS: Final = {0x41: 1, 0x42: 1, 0x43: 2, 0x4C: 2}
_FLOAT: Final = 0x39

Value = float | bytes


class Report(NamedTuple):
    """Which value a frame carries, and where its type stands in the frame."""

    end_point: int
    cluster: int
    attribute: int
    at: int


class Channel(NamedTuple):
    """Where a value goes: the quantity, its channel, and what a unit of the device is in the quantity's."""

    quantity: str
    channel: int = 0
    factor: float = 1.0


# (cluster, attribute) of a number -> by end point, where it goes.
Routes = Mapping[tuple[int, int], Mapping[int, Channel]]

TEMPERATURE: Final = (0x0402, 0x0000)  # 0.01 degC
HUMIDITY: Final = (0x0405, 0x0000)  # 0.01 %
PRESSURE: Final = (0x0403, 0x0000)  # 1 hPa
ILLUMINANCE: Final = (0x0400, 0x0000)  # 1 lx
OCCUPANCY: Final = (0x0406, 0x0000)
CONCENTRATION: Final = (0x800C, 0x0000)
DIFFERENTIAL_PRESSURE: Final = (0x8008, 0x0000)  # 1 Pa
BINARY_STATE: Final = (0x000F, 0x0055)
BINARY_COUNT: Final = (0x000F, 0x0402)
MULTI_BINARY: Final = (0x8005, 0x0000)  # a bitmap of up to ten inputs
ANALOG: Final = (0x000C, 0x0055)
POWER: Final = (0x0050, 0x0006)


def parse_report(payload: bytes) -> Report | None:
    """Return which value a standard frame carries, None when it carries none. Raises DecodeError."""
    if len(payload) < 4 or not payload[0] & 1:
        raise DecodeError(f"not a standard frame: {len(payload)} bytes")
    control, command = payload[0], payload[1]
    if command in _REPORTS:
        at = 6
    elif command == _READ_ANSWER:
        if len(payload) > 6 and payload[6]:
            return None  # the attribute could not be read
        at = 7
    else:
        return None
    if len(payload) <= at + 1:
        raise DecodeError(f"command {command:#04x} of {len(payload)} bytes")
    end_point = control >> 5 | (control & 6) << 2
    return Report(end_point, payload[2] << 8 | payload[3], payload[4] << 8 | payload[5], at)


def read_value(payload: bytes, at: int) -> Value:
    """Return the value whose type stands at `at`: a number, or the bytes of a string. Raises DecodeError."""
    kind, start = payload[at], at + 1
    if kind in _LENGTHS:
        width = _LENGTHS[kind]
        size = int.from_bytes(payload[start : start + width])
        start += width
    else:
        size = _UNSIGNED.get(kind) or _SIGNED.get(kind) or (4 if kind == _FLOAT else 0)
    raw = payload[start : start + size]
    if not size or len(raw) < size:
        raise DecodeError(f"type {kind:#04x}: {len(raw)} of {size} bytes")
    if kind in _LENGTHS:
        return raw
    if kind == _FLOAT:
        number: float = struct.unpack(">f", raw)[0]
        if not math.isfinite(number):
            raise DecodeError("not a finite number")
        return number
    return int.from_bytes(raw, signed=kind in _SIGNED)


def decode_report(payload: bytes, routes: Routes) -> list[Reading]:
    """Return the readings of a standard frame; what `routes` does not know measures nothing."""
    report = parse_report(payload)
    if report is None:
        return []
    key = (report.cluster, report.attribute)
    if key not in routes and key not in _STRUCTURED:
        return []
    value = read_value(payload, report.at)
    if isinstance(value, bytes):
        return _STRUCTURED[key](value) if key in _STRUCTURED else []
    if key == MULTI_BINARY:
        return _bits(int(value), routes[key])
    channel = routes[key].get(report.end_point) if key in routes else None
    return [Reading(channel.quantity, scaled(value, channel.factor), channel.channel)] if channel else []


def scaled(value: float, factor: float) -> float:
    """Return value x factor, exact for the decimal fractions that factors are."""
    if factor >= 1:
        return value * factor
    return value / round(1 / factor)


def _bits(bitmap: int, inputs: Mapping[int, Channel]) -> list[Reading]:
    """Return one state for each input that the model has; the map is by bit instead of by end point."""
    return [Reading(channel.quantity, bitmap >> bit & 1, channel.channel) for bit, channel in inputs.items()]


def _power(raw: bytes) -> list[Reading]:
    """Supplies the device has (bits of byte 1), 0.001 V each: mains, rechargeable, battery, solar, TIC."""
    if len(raw) < 2:
        raise DecodeError(f"power: {len(raw)} bytes")
    readings, at = [], 2
    for bit in range(5):
        if raw[1] >> bit & 1:
            if len(raw) < at + 2:
                raise DecodeError(f"power: {len(raw)} bytes")
            if bit in {1, 2}:
                readings.append(Reading("battery_voltage", int.from_bytes(raw[at : at + 2]) / 1000))
            at += 2
    return readings[-1:]  # one battery a device: a disposable one stands after a rechargeable one


_STRUCTURED: Final[Mapping[tuple[int, int], Callable[[bytes], list[Reading]]]] = {POWER: _power}
