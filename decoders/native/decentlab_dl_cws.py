"""Decentlab DL-CWS: road surface: temperature, air, dew point.

Source: Decentlab, DL-CWS user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  6: surface, air 0.01 degC, humidity 0.01 %, dew point 0.01 degC, angle (not kept), sensor 0.01 degC; all from 32768
  1  battery 0.001 V
The air is channel 0 of temperature, the surface channel 1.
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-cws",
    vendor="Decentlab",
    name="DL-CWS",
    quantities=("temperature", "humidity", "dew_point", "device_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl cws",),
)

_GROUPS: Final = (
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
