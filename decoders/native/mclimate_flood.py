"""MClimate Flood Sensor: water leak, temperature.

Source: docs.mclimate.eu, "Flood Sensor LoRaWAN communication protocol", page "Keep-alive"; the vendor's
example of two bytes, without the temperature, in github.com/TheThingsNetwork/lorawan-devices.
Byte map, at the end of the frame, after the answers to commands:  SS BB [TT]
  S  state        bits 7-5 why it was sent (0 keep-alive, 2 flood, 4 box opened); bit 3 box opened; bit 1 flood
  B  battery      uint8 16 mV
  T  temperature  bit 7 below zero, bits 6-0 1 degC
"""

from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-flood",
    vendor="MClimate",
    name="Flood Sensor",
    quantities=("water_leak", "tamper", "temperature", "battery_voltage"),
    period_s=3600,
    hints=("mclimate flood",),
)

_SIZE: Final = 3
_REASONS: Final = frozenset((0, 1, 2, 3, 4))


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if len(payload) < _SIZE - 1:
        raise DecodeError(f"{len(payload)} bytes, not {_SIZE - 1} or more")
    state, battery, *temperature = payload[-_SIZE:]
    if state >> 5 not in _REASONS:
        raise DecodeError(f"reason {state >> 5}")
    readings = [
        Reading("water_leak", state >> 1 & 1),
        Reading("tamper", state >> 3 & 1),
        Reading("battery_voltage", battery * 16 / 1000),
    ]
    for value in temperature:
        degrees = value & 0x7F
        readings.append(Reading("temperature", -degrees if value & 0x80 else degrees))
    return readings
