"""Milesight EM500-UDL: ultrasonic distance.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, em-series/em500-udl. Frame: `_milesight.py`.
Channels:
  01 75  battery         uint8  1 %
  03 82  distance        uint16 1 mm
  83 E9  distance alarm  distance, its change, 1 alarm
  20 CE  the past        distance
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-em500-udl",
    vendor="Milesight",
    name="EM500-UDL",
    quantities=("distance", "alarm", "battery_level"),
    period_s=600,
    hints=("em500 udl",),
)

_DISTANCE: Final = Part(2, "distance", 1000)
_CHANNELS: Final = {
    **BATTERY,
    (0x03, 0x82): (_DISTANCE,),
    (0x83, 0xE9): (_DISTANCE, Part(2), Part(1, "alarm", mask=0x01)),
    (0x20, 0xCE): (_DISTANCE,),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
