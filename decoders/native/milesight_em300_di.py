"""Milesight EM300-DI: pulse counter or digital input, with air temperature and humidity.

Source: Milesight, EM300 series user guide, section 5.2;
README of github.com/Milesight-IoT/SensorDecoders, em-series/em300-di. Frame: `_milesight.py`.
Channels:
  01 75  battery       uint8  1 %
  03 67  temperature   int16  0.1 degC
  04 68  humidity      uint8  0.5 %
  05 00  input         0 low, 1 high
  05 C8  pulses        uint32
  05 E1  water         conversion factors and converted volume, 8 bytes: its unit is the installer's, not kept
  85 00  input alarm   input, 1 alarm
  85 E1  water alarm   water as 05 E1, then 1 outage, 2 back, 3 flow, 4 back
  20 CE  the past      temperature, humidity, input kind, input, pulses
  21 CE  the past      temperature, humidity, alarm, input kind, input, water as 05 E1
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import AIR, HUMIDITY, TEMPERATURE, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-em300-di",
    vendor="Milesight",
    name="EM300-DI",
    quantities=("temperature", "humidity", "pulse_count", "digital_input", "alarm", "battery_level"),
    period_s=600,
    hints=("em300 di",),
)

_CHANNELS: Final = {
    **AIR,
    (0x05, 0x00): (Part(1, "digital_input"),),
    (0x05, 0xC8): (Part(4, "pulse_count"),),
    (0x05, 0xE1): (Part(8),),
    (0x85, 0x00): (Part(1, "digital_input"), Part(1, "alarm", mask=0x01)),
    (0x85, 0xE1): (Part(8), Part(1, "alarm", mask=0x01)),  # 1 and 3 begin, 2 and 4 end
    (0x20, 0xCE): (TEMPERATURE, HUMIDITY, Part(1), Part(1), Part(4, "pulse_count")),
    (0x21, 0xCE): (TEMPERATURE, HUMIDITY, Part(1), Part(1), Part(1), Part(8)),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
