"""Milesight AM308: indoor air.

Source and channels: `_milesight_am300.py`.
"""

from typing import Final

from decoders.native._milesight import decode_channels
from decoders.native._milesight_am300 import PM2_5, PM10, QUANTITIES, channels_with
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-am308",
    vendor="Milesight",
    name="AM308",
    quantities=(*QUANTITIES, "pm2_5", "pm10"),
    period_s=600,
    hints=("am308",),
)

_CHANNELS: Final = channels_with(PM2_5, PM10)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
