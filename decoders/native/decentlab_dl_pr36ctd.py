"""Decentlab DL-PR36CTD: pressure or level, temperature and conductivity of a liquid, with high precision.

Source: Decentlab, DL-PR36CTD user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  4: pressure 1/`kp` bar, temperature of the electronics and of the Pt1000 1/256 degC, conductivity 1/`kec` mS/cm;
     from 32768
  1  battery 0.001 V
`kp` and `kec` stand on the label of the probe: 8192 and 1024, say.
"""

from collections.abc import Mapping
from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-pr36ctd",
    vendor="Decentlab",
    name="DL-PR36CTD",
    quantities=("water_pressure", "water_temperature", "water_conductivity", "device_temperature", "battery_voltage"),
    period_s=600,
    hints=("dl pr36ctd",),
)

CONSTANTS: Final = ("kp", "kec")

_TEMPERATURES: Final = (
    Value("device_temperature", linear(1, 32768, 1 / 256)),
    Value("water_temperature", linear(2, 32768, 1 / 256)),
)


def decode(payload: bytes, f_port: int, constants: Mapping[str, float] = {}) -> list[Reading]:  # noqa: ARG001
    """Return the readings of one frame; raise DecodeError if it is malformed. Without a constant, not its value."""
    values = list(_TEMPERATURES)
    if kp := constants.get("kp"):
        values.append(Value("water_pressure", lambda words: (words[0] - 32768) / kp))
    if kec := constants.get("kec"):
        values.append(Value("water_conductivity", lambda words: (words[3] - 32768) / kec * 1000))
    return decode_decentlab(payload, (Group(4, tuple(values)), BATTERY))
