"""Milesight EM310-UDL: ultrasonic distance, and whether it still stands straight.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, em-series/em310-udl. Frame: `_milesight.py`.
Channels:
  01 75  battery   uint8  1 %
  03 82  distance  uint16 1 mm
  04 00  position  0 straight, 1 tilted
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-em310-udl",
    vendor="Milesight",
    name="EM310-UDL",
    quantities=("distance", "tamper", "battery_level"),
    period_s=600,
    hints=("em310 udl",),
)

_CHANNELS: Final = {
    **BATTERY,
    (0x03, 0x82): (Part(2, "distance", 1000),),
    (0x04, 0x00): (Part(1, "tamper"),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
