"""Decentlab DL-ATM22: wind.

Source: Decentlab, DL-ATM22 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  8: wind 0.01 m/s, its direction 0.1 deg, gust 0.01 m/s, temperature 0.1 degC, tilt x and y 0.1 deg, north and
     east parts of the wind (not kept); all from 32768
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-atm22",
    vendor="Decentlab",
    name="DL-ATM22",
    quantities=("wind_speed", "wind_direction", "wind_gust", "temperature", "roll", "pitch", "battery_voltage"),
    period_s=600,
    hints=("dl atm22",),
)

_GROUPS: Final = (
    Group(
        8,
        (
            Value("wind_speed", linear(0, 32768, 0.01)),
            Value("wind_direction", linear(1, 32768, 0.1)),
            Value("wind_gust", linear(2, 32768, 0.01)),
            Value("temperature", linear(3, 32768, 0.1)),
            Value("roll", linear(4, 32768, 0.1)),
            Value("pitch", linear(5, 32768, 0.1)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
