"""Milesight CT101 and CT103: current transformers, with a temperature probe.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, ct-series/ct101 and ct103. Frame: `_milesight.py`.
Channels:
  03 97  total current      uint32 0.01 A.h
  04 98  current            uint16 0.01 A
  09 67  probe temperature  int16  0.1 degC
  84 98  current alarm      greatest, least, now (uint16 0.01 A), flags 1 limit, 2 back, 4 range, 8 back
  89 67  temperature alarm  temperature, 1 alarm
The example of 04 98 in the README has four bytes of data where its table has two: the table is followed, and
zeros after a current are passed over.
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import TEMPERATURE, decode_channels
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("electric_charge", "current", "temperature", "alarm")

MODELS: Final = (
    Model("milesight-ct101", "Milesight", "CT101", _QUANTITIES, 600, ("ct101",)),
    Model("milesight-ct103", "Milesight", "CT103", _QUANTITIES, 600, ("ct103",)),
)

_CURRENT: Final = Part(2, "current", 100)
_CHANNELS: Final = {
    (0x03, 0x97): (Part(4, "electric_charge", 100),),
    (0x04, 0x98): (_CURRENT,),
    (0x09, 0x67): (TEMPERATURE,),
    (0x84, 0x98): (Part(2), Part(2), _CURRENT, Part(1, "alarm", mask=0x05)),
    (0x89, 0x67): (TEMPERATURE, Part(1, "alarm", 1, 1, mask=0x01)),
    (0x00, 0x00): (),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
