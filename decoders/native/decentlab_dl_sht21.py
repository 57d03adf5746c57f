"""Decentlab DL-SHT21: air temperature and humidity.

Source: Decentlab, DL-SHT21 user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  2: temperature and humidity of an SHT21
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import AIR_2X, BATTERY, decode_decentlab
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-sht21",
    vendor="Decentlab",
    name="DL-SHT21",
    quantities=("temperature", "humidity", "battery_voltage"),
    period_s=600,
    hints=("dl sht21",),
)

_GROUPS: Final = (AIR_2X, BATTERY)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
