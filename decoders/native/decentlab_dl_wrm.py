"""Decentlab DL-WRM: temperature of the road or of a track, and of the air.

Source: Decentlab, DL-WRM user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  2: temperature and humidity of an SHT35
  1  2: temperature of the surface, of the head, 0.1 degC from 1000
  2  battery 0.001 V
Channel 1 of temperature is the surface.
"""

from typing import Final

from decoders.native._decentlab import AIR_3X, BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-wrm",
    vendor="Decentlab",
    name="DL-WRM",
    quantities=("temperature", "humidity", "device_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl wrm",),
)

_GROUPS: Final = (
    AIR_3X,
    Group(2, (Value("temperature", linear(0, 1000, 0.1), 1), Value("device_temperature", linear(1, 1000, 0.1)))),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
