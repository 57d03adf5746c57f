"""Decentlab DL-TRS11: soil moisture and temperature.

Source: Decentlab, DL-TRS11 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  2: raw reading 0.1, temperature 0.1 degC from 32768
  1  battery 0.001 V
The water content is 0.0003879 x raw - 0.6956 m3/m3, for mineral soil; given in %.
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-trs11",
    vendor="Decentlab",
    name="DL-TRS11",
    quantities=("soil_moisture", "soil_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl trs11",),
)

_GROUPS: Final = (
    Group(
        2,
        (
            Value("soil_moisture", lambda w: 100 * (w[0] / 10 * 0.0003879 - 0.6956)),
            Value("soil_temperature", linear(1, 32768, 0.1)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
