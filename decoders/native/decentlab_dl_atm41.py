"""Decentlab DL-ATM41: weather station.

Source: Decentlab, DL-ATM41 user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  17: radiation W/m2, rain since the last mm (no index, not kept), lightning count and distance (not kept), wind
     0.01 m/s, its direction 0.1 deg, gust 0.01 m/s, temperature 0.1 degC, vapour pressure (not kept), pressure
     0.01 kPa, humidity 0.1 %, own temperature 0.1 degC, tilt x and y 0.1 deg, heading and wind parts (not kept);
     all from 32768
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-atm41",
    vendor="Decentlab",
    name="DL-ATM41",
    quantities=(
        "solar_irradiance",
        "wind_speed",
        "wind_direction",
        "wind_gust",
        "temperature",
        "pressure",
        "humidity",
        "device_temperature",
        "roll",
        "pitch",
        "battery_voltage",
    ),
    period_s=600,
    hints=("dl atm41",),
)

_GROUPS: Final = (
    Group(
        17,
        (
            Value("solar_irradiance", linear(0, 32768, 1)),
            Value("wind_speed", linear(4, 32768, 0.01)),
            Value("wind_direction", linear(5, 32768, 0.1)),
            Value("wind_gust", linear(6, 32768, 0.01)),
            Value("temperature", linear(7, 32768, 0.1)),
            Value("pressure", linear(9, 32768, 0.1)),
            Value("humidity", linear(10, 32768, 0.1)),
            Value("device_temperature", linear(11, 32768, 0.1)),
            Value("roll", linear(12, 32768, 0.1)),
            Value("pitch", linear(13, 32768, 0.1)),
        ),
    ),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
