"""Milesight AM307: indoor air.

Source and channels: `_milesight_am300.py`.
"""

from typing import Final

from decoders.native._milesight import decode_channels
from decoders.native._milesight_am300 import QUANTITIES, channels_with
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-am307",
    vendor="Milesight",
    name="AM307",
    quantities=QUANTITIES,
    period_s=600,
    hints=("am307",),
)

_CHANNELS: Final = channels_with()


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
