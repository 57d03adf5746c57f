"""Milesight EM500-CO2: outdoor CO2, temperature, humidity and pressure.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, em-series/em500-co2. Frame: `_milesight.py`.
Channels:
  01 75  battery      uint8  1 %
  03 67  temperature  int16  0.1 degC
  04 68  humidity     uint8  0.5 %
  05 7D  CO2          uint16 1 ppm
  06 73  pressure     uint16 0.1 hPa
  83 D7  alarm        temperature, its change, 1 alarm
  20 CE  the past     CO2, pressure, temperature, humidity
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import AIR, CO2, HUMIDITY, PRESSURE, TEMPERATURE, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-em500-co2",
    vendor="Milesight",
    name="EM500-CO2",
    quantities=("temperature", "humidity", "co2", "pressure", "alarm", "battery_level"),
    period_s=600,
    hints=("em500 co2",),
)

_CHANNELS: Final = {
    **AIR,
    (0x05, 0x7D): (CO2,),
    (0x06, 0x73): (PRESSURE,),
    (0x83, 0xD7): (TEMPERATURE, Part(2), Part(1, "alarm", mask=0x01)),
    (0x20, 0xCE): (CO2, PRESSURE, TEMPERATURE, HUMIDITY),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
