"""Nexelec Air, Air+: carbon monoxide detectors.

Source: Nexelec, README-Frames_AIR in github.com/nexelec/Decoders (August 2026); the examples of the vendor's codec in
github.com/actility/device-catalog, vendors/nexelec, for the battery's voltage. Frame: `_nexelec.py`.
Products: AE Air+, AF Air
Messages, offset and size in bits:
  00  status: CO sensor 40 1, air sensor 41 1, memory 42 1 (1 fault), battery level 44 2 (2 low, 3 critical), voltage
      48 8 5 mV above 2 V
  01  alarm: CO 16 10 1 ppm, early alarm 26 1, alarm 27 1
  02  now: CO 16 10 1 ppm, temperature 26 10, humidity 36 8 0.5 %
  03, 04  configuration, maintenance
"""

from typing import Final

from decoders.native._nexelec import Frame, temperature
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = (
    *("carbon_monoxide", "temperature", "humidity", "alarm", "battery_voltage", "battery_low", "device_fault"),
)

MODELS: Final = (
    Model("nexelec-air", "Nexelec", "Air", _QUANTITIES, 3600, ("nexelec air",)),
    Model("nexelec-air-plus", "Nexelec", "Air+", _QUANTITIES, 3600, ("nexelec air plus",)),
)

_PRODUCTS: Final = (0xAE, 0xAF)
_NOTHING_MEASURED: Final = (0x03, 0x04)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = Frame(payload)
    if frame.product not in _PRODUCTS:
        raise DecodeError(f"product {frame.product:#04x}")
    if frame.message == 0x00:
        return _status(frame)
    if frame.message == 0x01:
        return [*_carbon_monoxide(frame), Reading("alarm", int(frame.field(26, 2) != 0))]
    if frame.message == 0x02:
        humidity = frame.measured(36, 8)
        readings = [*_carbon_monoxide(frame), *temperature(frame.measured(26, 10))]
        return readings if humidity is None else [*readings, Reading("humidity", humidity / 2)]
    if frame.message in _NOTHING_MEASURED:
        return []
    raise DecodeError(f"message {frame.message:#04x}")


def _carbon_monoxide(frame: Frame) -> list[Reading]:
    value = frame.measured(16, 10)
    return [] if value is None else [Reading("carbon_monoxide", value)]


def _status(frame: Frame) -> list[Reading]:
    readings = [
        Reading("device_fault", int(frame.field(40, 3) != 0)),
        Reading("battery_low", int(frame.field(44, 2) >= 2)),
    ]
    if frame.holds(48, 8):
        readings.append(Reading("battery_voltage", (2000 + 5 * frame.field(48, 8)) / 1000))
    return readings
