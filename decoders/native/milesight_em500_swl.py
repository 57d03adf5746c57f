"""Milesight EM500-SWL: depth of water, by its pressure.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, em-series/em500-swl. Frame: `_milesight.py`.
Channels:
  01 75  battery   uint8  1 %
  03 77  depth     uint16 1 cm
  20 CE  the past  depth
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-em500-swl",
    vendor="Milesight",
    name="EM500-SWL",
    quantities=("water_level", "battery_level"),
    period_s=600,
    hints=("em500 swl",),
)

_DEPTH: Final = Part(2, "water_level", 100)
_CHANNELS: Final = {**BATTERY, (0x03, 0x77): (_DEPTH,), (0x20, 0xCE): (_DEPTH,)}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
