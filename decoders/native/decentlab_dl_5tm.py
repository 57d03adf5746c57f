"""Decentlab DL-5TM: soil moisture and temperature.

Source: Decentlab, DL-5TM user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  2: dielectric permittivity 1/50, temperature 0.1 degC from 400
  1  battery 0.001 V
The water content is Topp's polynomial of the permittivity, for mineral soil; given in %.
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-5tm",
    vendor="Decentlab",
    name="DL-5TM",
    quantities=("soil_moisture", "soil_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl 5tm",),
)


def _water_content(permittivity: float) -> float:
    return 0.0000043 * permittivity**3 - 0.00055 * permittivity**2 + 0.0292 * permittivity - 0.053


_GROUPS: Final = (
    Group(
        2,
        (
            Value("soil_moisture", lambda w: 100 * _water_content(w[0] / 50)),
            Value("soil_temperature", linear(1, 400, 0.1)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
