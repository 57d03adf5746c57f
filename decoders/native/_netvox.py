"""Netvox frames: a version, the kind of device, the kind of report, the battery, then the values of the device.

Source: Netvox, user manual of each product, section 5.1 "Example of ReportDataCmd".
Byte map, f_port 6, 11 bytes, big-endian:  VV DD RR BB, then seven bytes
  V  version of the form, 01
  D  kind of device: a frame of another kind is refused
  R  kind of report: 00 firmware, nothing measured; 01 the values
  B  battery  bits 6-0 0.1 V, bit 7 low
f_port 7: answers to commands
"""

from collections.abc import Container
from typing import Final

from domain.errors import DecodeError
from domain.readings import Reading

BATTERY: Final = ("battery_voltage", "battery_low")

_SIZE: Final = 11
_DATA_PORT, _COMMAND_PORT = 6, 7


def report(payload: bytes, f_port: int, devices: Container[int]) -> tuple[bytes, list[Reading]]:
    """Return a report's seven bytes and the battery's readings; no bytes if nothing is measured; raise DecodeError."""
    if f_port == _COMMAND_PORT:
        return b"", []
    if f_port != _DATA_PORT or len(payload) != _SIZE or payload[0] != 1:
        raise DecodeError(f"f_port {f_port}, {len(payload)} bytes")
    if payload[1] not in devices:
        raise DecodeError(f"unknown kind of device {payload[1]:#04x}")
    if payload[2] == 0:
        return b"", []
    if payload[2] != 1:
        raise DecodeError(f"unknown kind of report {payload[2]}")
    battery = payload[3]
    return payload[4:], [Reading("battery_voltage", (battery & 0x7F) / 10), Reading("battery_low", battery >> 7)]
