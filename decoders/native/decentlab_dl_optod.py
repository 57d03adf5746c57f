"""Decentlab DL-OPTOD: oxygen dissolved in water.

Source: Decentlab, DL-OPTOD user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  5: status, temperature 0.01 degC, saturation 0.01 % (not kept), oxygen 0.01 mg/L, and in ppm (not kept); from 32768
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-optod",
    vendor="Decentlab",
    name="DL-OPTOD",
    quantities=("water_temperature", "dissolved_oxygen", "battery_voltage"),
    period_s=600,
    hints=("dl optod",),
)

_GROUPS: Final = (
    Group(
        5,
        (Value("water_temperature", linear(1, 32768, 0.01)), Value("dissolved_oxygen", linear(3, 32768, 0.01))),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
