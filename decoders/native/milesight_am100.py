"""Milesight AM103: indoor air.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, am-series/am103. Frame: `_milesight.py`.
Channels:
  01 75  battery      uint8  1 %
  03 67  temperature  int16  0.1 degC
  04 68  humidity     uint8  0.5 %
  07 7D  CO2          uint16 1 ppm
  20 CE  the past     temperature, humidity, CO2
"""

from typing import Final

from decoders.native._milesight import AIR, CO2, HUMIDITY, TEMPERATURE, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-am103",
    vendor="Milesight",
    name="AM103",
    quantities=("temperature", "humidity", "co2", "battery_level"),
    period_s=600,
    hints=("am103",),
)

_CHANNELS: Final = {**AIR, (0x07, 0x7D): (CO2,), (0x20, 0xCE): (TEMPERATURE, HUMIDITY, CO2)}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
