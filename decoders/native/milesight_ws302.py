"""Milesight WS302: sound level.

Source: Milesight, WS302 user guide, section 6.2. Frame: `_milesight.py`.
Channels:
  01 75  battery  uint8 1 %
  05 5B  sound    weighting: bits 1-0 1 A, 2 C; bit 2 fast; then the level now, the mean, the highest of the
         period, uint16 0.1 dB. Weighted otherwise than A, they are not of the vocabulary and not kept
The mean (LAeq) is channel 0 of sound_level, the level now channel 1.
"""

from typing import Final

from decoders.native._channels import Part
from decoders.native._milesight import BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-ws302",
    vendor="Milesight",
    name="WS302",
    quantities=("sound_level", "sound_level_peak", "battery_level"),
    period_s=600,
    hints=("ws302",),
)

_WEIGHTING: Final = "weighting"
_CHANNELS: Final = {
    **BATTERY,
    (0x05, 0x5B): (
        Part(1, _WEIGHTING),
        Part(2, "sound_level", 10, 1),
        Part(2, "sound_level", 10),
        Part(2, "sound_level_peak", 10),
    ),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings = decode_channels(payload, _CHANNELS)
    weightings = {int(reading.value) & 3 for reading in readings if reading.quantity == _WEIGHTING}
    kept = ("battery_level",) if weightings - {1} else MODEL.quantities
    return [reading for reading in readings if reading.quantity in kept]
