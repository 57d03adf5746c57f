"""Milesight WS523 and WS525: smart sockets, with a meter.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, ws-series/ws523 and ws525. Frame: `_milesight.py`.
Channels:
  03 74  voltage       uint16 0.1 V
  04 80  power         uint32 1 W
  05 81  power factor  uint8  1 %
  06 83  energy        uint32 1 W.h
  07 C9  current       uint16 0.001 A
  08 70  socket        1 on
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import decode_channels
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("on", "active_energy_import", "active_power", "power_factor", "voltage", "current")

MODELS: Final = (
    Model("milesight-ws523", "Milesight", "WS523", _QUANTITIES, 1200, ("ws523",)),
    Model("milesight-ws525", "Milesight", "WS525", _QUANTITIES, 1200, ("ws525",)),
)

_CHANNELS: Final = {
    (0x03, 0x74): (Part(2, "voltage", 10),),
    (0x04, 0x80): (Part(4, "active_power"),),
    (0x05, 0x81): (Part(1, "power_factor", 100),),
    (0x06, 0x83): (Part(4, "active_energy_import", 1000),),
    (0x07, 0xC9): (Part(2, "current", 1000),),
    (0x08, 0x70): (Part(1, "on", mask=1),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
