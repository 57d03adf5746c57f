"""Milesight WS301: opening of a door or a window.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, ws-series/ws301. Frame: `_milesight.py`.
Channels:
  01 75  battery  uint8 1 %
  03 00  magnet   1 open
  04 00  mounting 1 taken off
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-ws301",
    vendor="Milesight",
    name="WS301",
    quantities=("open", "tamper", "battery_level"),
    period_s=None,
    hints=("ws301",),
)

_CHANNELS: Final = {**BATTERY, (0x03, 0x00): (Part(1, "open"),), (0x04, 0x00): (Part(1, "tamper"),)}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
