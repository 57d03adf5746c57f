"""Decentlab DL-LP8P: CO2, temperature, humidity and pressure.

Source: Decentlab, DL-LP8P user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  2: temperature and humidity of an SHT21
  1  2: temperature of the barometer (not kept), pressure 2 Pa
  2  8: CO2 1 ppm from 32768, then its filter and the sensor's own figures (not kept)
  3  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import AIR_2X, BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-lp8p",
    vendor="Decentlab",
    name="DL-LP8P",
    quantities=("temperature", "humidity", "pressure", "co2", "battery_voltage"),
    period_s=600,
    hints=("dl lp8p",),
)

_GROUPS: Final = (
    AIR_2X,
    Group(2, (Value("pressure", linear(1, 0, 0.02)),)),
    Group(8, (Value("co2", linear(0, 32768, 1)),)),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
