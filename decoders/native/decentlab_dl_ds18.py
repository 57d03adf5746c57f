"""Decentlab DL-DS18: temperature of a probe.

Source: Decentlab, DL-DS18 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  1: temperature 1/16 degC from 32768
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-ds18",
    vendor="Decentlab",
    name="DL-DS18",
    quantities=("temperature", "battery_voltage"),
    period_s=600,
    hints=("dl ds18",),
)

_GROUPS: Final = (
    Group(1, (Value("temperature", linear(0, 32768, 1 / 16)),)),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
