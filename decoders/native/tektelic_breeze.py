"""Tektelic Breeze: CO2, air, motion.

Source: Tektelic, github.com/TektelicCommunications/data-converters, converter breeze v1.0. Frame: `_tektelic.py`.
Channels:
  00 BA  battery      uint16 0.001 V      00 D3, 11 D3  battery of the sensor, of the display (channel 1), uint8 1 %
  03 67  temperature  int16 0.1 degC      04 68  humidity uint8 0.5 %
  0A 00  motion       FF yes              0D 04  how many times since the last frame: no index, not kept
  0B E4  CO2          uint16 1 ppm        0E E4  the same before the correction for pressure, not kept
  0C 73  pressure     uint16 0.1 hPa
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._tektelic import AIR, BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="tektelic-breeze",
    vendor="Tektelic",
    name="Breeze",
    quantities=("co2", "temperature", "humidity", "pressure", "presence", "battery_voltage", "battery_level"),
    period_s=3600,
    hints=("tektelic breeze",),
)

_CHANNELS: Final[Channels] = {
    **BATTERY,
    **AIR,
    (0x0A, 0x00): (Part(1, "presence", mask=0xFF),),
    (0x0B, 0xE4): (Part(2, "co2"),),
    (0x0C, 0x73): (Part(2, "pressure", 10),),
    (0x0D, 0x04): (Part(2),),
    (0x0E, 0xE4): (Part(2),),
    (0x11, 0xD3): (Part(1, "battery_level", channel=1),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, f_port, _CHANNELS)
