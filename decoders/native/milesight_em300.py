"""Milesight EM300-TH, EM300-MCS, EM300-SLD, EM300-ZLD: air; magnet; water leak.

Source: Milesight, EM300 series user guide, section 5.2;
README of github.com/Milesight-IoT/SensorDecoders, em-series/em300-*. Frame: `_milesight.py`.
Channels:
  01 75  battery      uint8  1 %
  03 67  temperature  int16  0.1 degC
  04 68  humidity     uint8  0.5 %
  05 00  leak         1 when there is water (SLD, ZLD)
  06 00  magnet       1 open (MCS)
  20 CE  the past     temperature, humidity, and a byte: nothing (TH), magnet (MCS), leak (SLD, ZLD): not kept,
         as the frame does not say which
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import AIR, HUMIDITY, TEMPERATURE, decode_channels
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", "humidity", "water_leak", "open", "battery_level")

MODELS: Final = (
    Model("milesight-em300-th", "Milesight", "EM300-TH", _QUANTITIES, 600, ("em300 th",)),
    Model("milesight-em300-mcs", "Milesight", "EM300-MCS", _QUANTITIES, 600, ("em300 mcs",)),
    Model("milesight-em300-sld", "Milesight", "EM300-SLD", _QUANTITIES, 600, ("em300 sld",)),
    Model("milesight-em300-zld", "Milesight", "EM300-ZLD", _QUANTITIES, 600, ("em300 zld",)),
)

_CHANNELS: Final = {
    **AIR,
    (0x05, 0x00): (Part(1, "water_leak"),),
    (0x06, 0x00): (Part(1, "open"),),
    (0x20, 0xCE): (TEMPERATURE, HUMIDITY, Part(1)),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
