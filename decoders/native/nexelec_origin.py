"""Nexelec Origin, Origin+, Guard, Guard+: smoke detectors that measure the air.

Source: Nexelec, README-Frames_ORIGIN-GUARD in github.com/nexelec/Decoders (August 2026); the examples of the vendor's
codec in github.com/actility/device-catalog, vendors/nexelec, where Origin+ is B1. Frame: `_nexelec.py`.
Products: B1 and BD Origin+, B2 Origin, B3 Guard+, B4 Guard
Messages, offset and size in bits:
  00  status: smoke chamber 40 1 and air sensor 41 1 (1 fault), battery level 46 2 (2 low, 3 critical),
      voltage 48 8 5 mV above 2 V
  01  configuration
  02  alarm: smoke 16 2 (1 smoke, 2 smoke heard by another), temperature 39 10
  03  the day: least, greatest and mean temperature 16, 26, 36 10, and humidity 46, 54, 62 8 0.5 %: the means are kept
  04  now: temperature 16 10, humidity 26 8 0.5 %
  05  the past of the temperature, its period in minutes
"""

from typing import Final

from decoders.native._nexelec import Frame, past, temperature
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", "humidity", "alarm", "battery_voltage", "battery_low", "device_fault")

MODELS: Final = (
    Model("nexelec-origin", "Nexelec", "Origin", _QUANTITIES, 3600, ("nexelec origin",)),
    Model("nexelec-origin-plus", "Nexelec", "Origin+", _QUANTITIES, 3600, ("nexelec origin plus",)),
    Model("nexelec-guard", "Nexelec", "Guard", _QUANTITIES, 3600, ("nexelec guard",)),
    Model("nexelec-guard-plus", "Nexelec", "Guard+", _QUANTITIES, 3600, ("nexelec guard plus",)),
)

_PRODUCTS: Final = (0xB1, 0xBD, 0xB2, 0xB3, 0xB4)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = Frame(payload)
    if frame.product not in _PRODUCTS:
        raise DecodeError(f"product {frame.product:#04x}")
    if frame.message == 0x00:
        return _status(frame)
    if frame.message == 0x01:
        return []
    if frame.message == 0x02:
        return [Reading("alarm", int(frame.field(16, 2) != 0)), *temperature(frame.measured(39, 10))]
    if frame.message == 0x03:
        return [*temperature(frame.measured(36, 10)), *_humidity(frame.measured(62, 8))]
    if frame.message == 0x04:
        return [*temperature(frame.measured(16, 10)), *_humidity(frame.measured(26, 8))]
    if frame.message == 0x05:
        return [reading for raw, age_s in past(frame, 60) for reading in temperature(raw, age_s)]
    raise DecodeError(f"message {frame.message:#04x}")


def _humidity(raw: int | None) -> list[Reading]:
    return [] if raw is None else [Reading("humidity", raw / 2)]


def _status(frame: Frame) -> list[Reading]:
    return [
        Reading("battery_voltage", (2000 + frame.field(48, 8) * 5) / 1000),
        Reading("battery_low", int(frame.field(46, 2) >= 2)),
        Reading("device_fault", int(frame.field(40, 2) != 0)),
    ]
