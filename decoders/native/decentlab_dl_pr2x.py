"""Decentlab DL-PR21 and DL-PR26: pressure or level, and temperature, of a liquid.

Source: Decentlab, DL-PR21 and DL-PR26 user guides, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November
2025). Frame: `_decentlab.py`. Groups of words:
  0  2: pressure, 16384 at `pmin` and 49152 at `pmax`; temperature 0.003125 degC, 384 at -50
  1  battery 0.001 V
`pmin` and `pmax` are the range of the probe in bar: they stand on its label, and not in the frame.
"""

from collections.abc import Mapping
from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("water_pressure", "water_temperature", "battery_voltage")

MODELS: Final = (
    Model("decentlab-dl-pr21", "Decentlab", "DL-PR21", _QUANTITIES, 600, ("dl pr21",)),
    Model("decentlab-dl-pr26", "Decentlab", "DL-PR26", _QUANTITIES, 600, ("dl pr26",)),
)

CONSTANTS: Final = ("pmin", "pmax")

_TEMPERATURE: Final = Value("water_temperature", lambda words: (words[1] - 384) * 0.003125 - 50)


def decode(payload: bytes, f_port: int, constants: Mapping[str, float] = {}) -> list[Reading]:  # noqa: ARG001
    """Return the readings of one frame; raise DecodeError if it is malformed. Without its range, no pressure."""
    if not constants.keys() >= {"pmin", "pmax"}:
        return decode_decentlab(payload, (Group(2, (_TEMPERATURE,)), BATTERY))
    low, span = constants["pmin"], constants["pmax"] - constants["pmin"]
    pressure = Value("water_pressure", lambda words: (words[0] - 16384) / 32768 * span + low)
    return decode_decentlab(payload, (Group(2, (pressure, _TEMPERATURE)), BATTERY))
