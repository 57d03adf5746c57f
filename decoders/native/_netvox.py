"""Netvox frames: a version, the kind of device, the kind of report, then the values of that report.

Source: Netvox, user manual of each product, section 5.1 "Example of ReportDataCmd"; where a manual leaves out the kind
of device, the vendor's codec in github.com/TheThingsNetwork/lorawan-devices, vendor/netvox.
Byte map, f_port 6, 11 bytes, big-endian:  VV DD RR BB, then seven bytes
  V  version of the form, 01
  D  kind of device: a frame of another kind is refused
  R  kind of report: 00 firmware, nothing measured; 01 and above, the values
  B  battery  bits 6-0 0.1 V, bit 7 low; 00 when it runs on the mains
f_port 7, 13 (buttons), 14 (calibration), 32 (joining): answers to commands
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.errors import DecodeError
from domain.readings import Reading

BATTERY: Final = ("battery_voltage", "battery_low")
_SIZE: Final = 11
_DATA_PORT: Final = 6
_COMMAND_PORTS: Final = frozenset((7, 13, 14, 32))


class Value(NamedTuple):
    """A value of a report: where it stands, its size in bytes, the quantity it goes to.

    A number is divided by `divisor`; a `flag` is 1 when it is not 0.
    """

    at: int
    size: int
    quantity: str
    divisor: int = 1
    channel: int = 0
    signed: bool = False
    flag: bool = False


Form = tuple[Value, ...]
Forms = Mapping[tuple[int, int], Form]

TEMPERATURE: Final = Value(4, 2, "temperature", 100, signed=True)
HUMIDITY: Final = Value(6, 2, "humidity", 100)


def flags(quantity: str, count: int = 1) -> Form:
    """Return the form of a report that says yes or no of one quantity, `count` times."""
    return tuple(Value(4 + channel, 1, quantity, channel=channel, flag=True) for channel in range(count))


def by_kind(kinds: Mapping[int, Form]) -> Forms:
    """Return the forms of devices that have one kind of report, 01."""
    return {(kind, 1): form for kind, form in kinds.items()}


def decode_report(payload: bytes, f_port: int, forms: Forms, *, absent: bool = False) -> list[Reading]:
    """Return the readings of a frame; raise DecodeError if it is of none of these forms.

    With `absent`, a value whose bits are all set is of a sensor that this device has not.
    """
    if not is_report(payload, f_port, forms):
        return []
    readings: list[Reading] = []
    for at, size, quantity, divisor, channel, signed, flag in forms[payload[1], payload[2]]:
        data = payload[at : at + size]
        if absent and not data.strip(b"\xff"):
            continue
        value = int(any(data)) if flag else int.from_bytes(data, signed=signed)
        readings.append(Reading(quantity, value if divisor == 1 else value / divisor, channel))
    return [*readings, *battery_readings(payload)]


def is_report(payload: bytes, f_port: int, forms: Forms) -> bool:
    """Say whether a frame carries values; raise DecodeError if it is of none of these forms."""
    if f_port in _COMMAND_PORTS:
        return False
    if f_port != _DATA_PORT or len(payload) != _SIZE or payload[0] != 1:
        raise DecodeError(f"f_port {f_port}, {len(payload)} bytes")
    kind, report = payload[1], payload[2]
    if (kind, report) in forms:
        return True
    if not any(kind == known for known, _ in forms):
        raise DecodeError(f"unknown kind of device {kind:#04x}")
    if report:
        raise DecodeError(f"unknown kind of report {report}")
    return False


def battery_readings(payload: bytes) -> tuple[Reading, ...]:
    """Return what the battery says; nothing on the mains."""
    bits = payload[3]
    if not bits:
        return ()
    return Reading("battery_voltage", (bits & 0x7F) / 10), Reading("battery_low", bits >> 7)
