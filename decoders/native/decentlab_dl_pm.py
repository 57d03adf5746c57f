"""Decentlab DL-PM: particles, temperature, humidity and pressure.

Source: Decentlab, DL-PM user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  battery 0.001 V
  1  10: PM1, PM2.5, PM4 (not kept), PM10 0.1 ug/m3, size and numbers of particles (not kept)
  2  2: temperature and humidity of an SHT21
  3  1: pressure 2 Pa
"""

from typing import Final

from decoders.native._decentlab import AIR_2X, BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-pm",
    vendor="Decentlab",
    name="DL-PM",
    quantities=("pm1", "pm2_5", "pm10", "temperature", "humidity", "pressure", "battery_voltage"),
    period_s=600,
    hints=("dl pm",),
)

_GROUPS: Final = (
    BATTERY,
    Group(
        10,
        (
            Value("pm1", linear(0, 0, 0.1)),
            Value("pm2_5", linear(1, 0, 0.1)),
            Value("pm10", linear(3, 0, 0.1)),
        ),
    ),
    AIR_2X,
    Group(1, (Value("pressure", linear(0, 0, 0.02)),)),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
