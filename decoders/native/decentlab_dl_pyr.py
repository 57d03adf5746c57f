"""Decentlab DL-PYR: solar radiation.

Source: Decentlab, DL-PYR user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  1: radiation, 3 x (word / 32768 - 1) x 5000 W/m2
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-pyr",
    vendor="Decentlab",
    name="DL-PYR",
    quantities=("solar_irradiance", "battery_voltage"),
    period_s=600,
    hints=("dl pyr",),
)

_GROUPS: Final = (
    Group(1, (Value("solar_irradiance", lambda w: 15_000 * (w[0] / 32768 - 1)),)),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
