"""Decentlab DL-CTD10: depth, temperature and conductivity of water.

Source: Decentlab, DL-CTD10 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  4: depth 1 mm from 32768, temperature 0.1 degC from 32768, conductivity 1 uS/cm, freezing (not kept)
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-ctd10",
    vendor="Decentlab",
    name="DL-CTD10",
    quantities=("water_level", "water_temperature", "water_conductivity", "battery_voltage"),
    period_s=600,
    hints=("dl ctd10",),
)

_GROUPS: Final = (
    Group(
        4,
        (
            Value("water_level", linear(0, 32768, 0.001)),
            Value("water_temperature", linear(1, 32768, 0.1)),
            Value("water_conductivity", linear(2, 0, 1)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
