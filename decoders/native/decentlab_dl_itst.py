"""Decentlab DL-ITST: temperature of a surface, seen in the infrared.

Source: Decentlab, DL-ITST user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  2: target and head, 0.1 degC from 1000
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-itst",
    vendor="Decentlab",
    name="DL-ITST",
    quantities=("temperature", "device_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl itst",),
)

_GROUPS: Final = (
    Group(2, (Value("temperature", linear(0, 1000, 0.1)), Value("device_temperature", linear(1, 1000, 0.1)))),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
