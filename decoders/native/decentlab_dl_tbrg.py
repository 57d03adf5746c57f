"""Decentlab DL-TBRG: rain, by a tipping bucket.

Source: Decentlab, DL-TBRG user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  4: tips since the last frame, and its seconds (not kept: the index says it); index of tips, uint32, low word first
  1  battery 0.001 V
`resolution` is what a tip is worth in mm: it stands on the gauge (0.1 or 0.2, mostly).
"""

from collections.abc import Mapping
from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-tbrg",
    vendor="Decentlab",
    name="DL-TBRG",
    quantities=("rain", "battery_voltage"),
    period_s=600,
    hints=("dl tbrg",),
)

CONSTANTS: Final = ("resolution",)


def decode(payload: bytes, f_port: int, constants: Mapping[str, float] = {}) -> list[Reading]:  # noqa: ARG001
    """Return the readings of one frame; raise DecodeError if it is malformed. Without its resolution, no rain."""
    resolution = constants.get("resolution")
    if resolution is None:
        return decode_decentlab(payload, (Group(4, ()), BATTERY))
    rain = Value("rain", lambda words: (words[2] + (words[3] << 16)) * resolution)
    return decode_decentlab(payload, (Group(4, (rain,)), BATTERY))
