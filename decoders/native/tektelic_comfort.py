"""Tektelic Comfort and Vivid (smart room sensors): air, door, motion, leak, inputs.

Source: Tektelic, github.com/TektelicCommunications/data-converters, converters comfort-vivid v2.2, v3.1 and v4.3.
Frame: `_tektelic.py`. Channels:
  00 FF  battery       int16 0.01 V (v2)         00 BA  battery  uint16 0.001 V (from v3)
  00 D3  battery       uint8 1 %
  01 00  magnet        FF away: open             08 04  how many times since the last frame: no index, not kept
  02 00  light, 10 02  light: relative values, not kept
  03 67  temperature   int16 0.1 degC            04 68  humidity uint8 0.5 %
  05 02  shock         uint16 0.001 g, not kept  0C 00  shock alarm, FF yes
  07 71  acceleration  three int16 0.001 g
  09 00  leak (v2)     FF wet                    09 03, 06 67, 2A 00  of the motion sensor, not kept
  0A 00  motion        FF yes                    0D 04  how many times since the last frame, not kept
  0B 67  of the device int16 0.1 degC
  0E 00  input         FF open; 1E 00 the other one (v4)      0D 00  output, not kept
  0F 04  and 1F 04     how many times since the last frame, not kept
  11 02  input         int16 0.001 V
  12 04  pulses        uint32 since the start; 22 04 of the other input (v4): channel 1
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._tektelic import ACCELERATION, AIR, BATTERY, MCU, decode_channels
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = (
    "temperature",
    "humidity",
    "open",
    "presence",
    "water_leak",
    "alarm",
    "acceleration_x",
    "acceleration_y",
    "acceleration_z",
    "digital_input",
    "analog_voltage",
    "pulse_count",
    "device_temperature",
    "battery_voltage",
    "battery_level",
)

MODELS: Final = (
    Model("tektelic-comfort", "Tektelic", "Comfort", _QUANTITIES, 3600, ("tektelic comfort", "smart room sensor")),
    Model("tektelic-vivid", "Tektelic", "Vivid", _QUANTITIES, 3600, ("tektelic vivid", "smart room sensor pir")),
)

_CHANNELS: Final[Channels] = {
    **BATTERY,
    **AIR,
    **MCU,
    (0x01, 0x00): (Part(1, "open", mask=0xFF),),
    (0x02, 0x00): (Part(1),),
    (0x05, 0x02): (Part(2),),
    (0x06, 0x67): (Part(2),),
    (0x07, 0x71): ACCELERATION,
    (0x08, 0x04): (Part(2),),
    (0x09, 0x00): (Part(1, "water_leak", mask=0xFF),),
    (0x09, 0x03): (Part(2),),
    (0x0A, 0x00): (Part(1, "presence", mask=0xFF),),
    (0x0C, 0x00): (Part(1, "alarm", mask=0xFF),),
    (0x0D, 0x00): (Part(1),),
    (0x0D, 0x04): (Part(2),),
    (0x0E, 0x00): (Part(1, "digital_input", mask=0xFF),),
    (0x0F, 0x04): (Part(2),),
    (0x10, 0x02): (Part(1),),
    (0x11, 0x02): (Part(2, "analog_voltage", 1000, signed=True),),
    (0x12, 0x04): (Part(4, "pulse_count"),),
    (0x1E, 0x00): (Part(1, "digital_input", mask=0xFF, channel=1),),
    (0x1F, 0x04): (Part(2),),
    (0x22, 0x04): (Part(4, "pulse_count", channel=1),),
    (0x2A, 0x00): (Part(1),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, f_port, _CHANNELS)
