"""Decentlab DL-PHEHT: pH of water.

Source: Decentlab, DL-PHEHT user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  5: status, temperature 0.01 degC, pH 0.01, redox and pH in 0.1 mV (not kept); from 32768
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-pheht",
    vendor="Decentlab",
    name="DL-PHEHT",
    quantities=("water_temperature", "ph", "battery_voltage"),
    period_s=600,
    hints=("dl pheht",),
)

_GROUPS: Final = (
    Group(5, (Value("water_temperature", linear(1, 32768, 0.01)), Value("ph", linear(2, 32768, 0.01)))),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
