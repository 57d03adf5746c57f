"""Decentlab DL-TRS21: soil water potential and temperature.

Source: Decentlab, DL-TRS21 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  2: water potential, 0.1 kPa below zero; temperature 0.1 degC from 32768
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-trs21",
    vendor="Decentlab",
    name="DL-TRS21",
    quantities=("soil_water_tension", "soil_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl trs21",),
)

_GROUPS: Final = (
    Group(
        2,
        (Value("soil_water_tension", linear(0, 0, 0.1)), Value("soil_temperature", linear(1, 32768, 0.1))),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
