"""Decentlab DL-NTU: turbidity and temperature of water.

Source: Decentlab, DL-NTU user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  5: state (not kept), temperature 0.01 degC from 32768, turbidity 0.1 NTU, in other units (not kept)
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-ntu",
    vendor="Decentlab",
    name="DL-NTU",
    quantities=("water_temperature", "turbidity", "battery_voltage"),
    period_s=600,
    hints=("dl ntu",),
)

_GROUPS: Final = (
    Group(5, (Value("water_temperature", linear(1, 32768, 0.01)), Value("turbidity", linear(2, 0, 0.1)))),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
