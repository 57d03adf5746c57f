"""Milesight EM500-PP: pressure in a pipe.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, em-series/em500-pp. Frame: `_milesight.py`.
Channels:
  01 75  battery   uint8  1 %
  03 7B  pressure  uint16 1 kPa
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-em500-pp",
    vendor="Milesight",
    name="EM500-PP",
    quantities=("water_pressure", "battery_level"),
    period_s=600,
    hints=("em500 pp",),
)

_CHANNELS: Final = {**BATTERY, (0x03, 0x7B): (Part(2, "water_pressure", 100),)}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
