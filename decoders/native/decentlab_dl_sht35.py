"""Decentlab DL-SHT35: air temperature and humidity.

Source: Decentlab, DL-SHT35 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  2: temperature and humidity of an SHT35
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import AIR_3X, BATTERY, decode_decentlab
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-sht35",
    vendor="Decentlab",
    name="DL-SHT35",
    quantities=("temperature", "humidity", "battery_voltage"),
    period_s=600,
    hints=("dl sht35",),
)

_GROUPS: Final = (
    AIR_3X,
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
