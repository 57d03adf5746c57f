"""Decentlab DL-CTD10B: depth, temperature and conductivity of water.

Source: Decentlab, DL-CTD10B user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  4: depth 1 mm from 32768, temperature 0.1 degC from 32768, conductivity 2 uS/cm, freezing (not kept)
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-ctd10b",
    vendor="Decentlab",
    name="DL-CTD10B",
    quantities=("water_level", "water_temperature", "water_conductivity", "battery_voltage"),
    period_s=600,
    hints=("dl ctd10b",),
)

_GROUPS: Final = (
    Group(
        4,
        (
            Value("water_level", linear(0, 32768, 0.001)),
            Value("water_temperature", linear(1, 32768, 0.1)),
            Value("water_conductivity", linear(2, 0, 2)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
