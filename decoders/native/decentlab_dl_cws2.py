"""Decentlab DL-CWS2: road surface: temperature, air, dew point.

Source: Decentlab, DL-CWS2 user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  2: temperature and humidity in the radiation shield
  1  6: surface, air 0.01 degC, humidity 0.01 %, dew point 0.01 degC, angle (not kept), sensor 0.01 degC; from 32768
  2  battery 0.001 V
The air is channel 0 of temperature, the surface channel 1, the radiation shield channel 2.
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-cws2",
    vendor="Decentlab",
    name="DL-CWS2",
    quantities=("temperature", "humidity", "dew_point", "device_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl cws2",),
)

_GROUPS: Final = (
    Group(
        2,
        (
            Value("temperature", lambda words: 175 * words[0] / 65535 - 45, 2),
            Value("humidity", lambda words: 100 * words[1] / 65535, 2),
        ),
    ),
    Group(
        6,
        (
            Value("temperature", linear(0, 32768, 0.01), 1),
            Value("temperature", linear(1, 32768, 0.01)),
            Value("humidity", linear(2, 32768, 0.01)),
            Value("dew_point", linear(3, 32768, 0.01)),
            Value("device_temperature", linear(5, 32768, 0.01)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
