"""Decentlab DL-PR36: pressure or level, and temperature, of a liquid, with high precision.

Source: Decentlab, DL-PR36 user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  2: pressure 1/`kp` bar from 32768; temperature 1/256 degC from 32768
  1  battery 0.001 V
`kp` stands on the label of the probe: 8192, say.
"""

from collections.abc import Mapping
from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-pr36",
    vendor="Decentlab",
    name="DL-PR36",
    quantities=("water_pressure", "water_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl pr36",),
)

CONSTANTS: Final = ("kp",)

_TEMPERATURE: Final = Value("water_temperature", linear(1, 32768, 1 / 256))


def decode(payload: bytes, f_port: int, constants: Mapping[str, float] = {}) -> list[Reading]:  # noqa: ARG001
    """Return the readings of one frame; raise DecodeError if it is malformed. Without `kp`, no pressure."""
    kp = constants.get("kp")
    if not kp:
        return decode_decentlab(payload, (Group(2, (_TEMPERATURE,)), BATTERY))
    pressure = Value("water_pressure", lambda words: (words[0] - 32768) / kp)
    return decode_decentlab(payload, (Group(2, (pressure, _TEMPERATURE)), BATTERY))
