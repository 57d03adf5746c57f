"""Decentlab DL-IAM: indoor air and light.

Source: Decentlab, DL-IAM user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  battery 0.001 V
  1  2: temperature and humidity of an SHT31
  2  1: pressure 2 Pa
  3  2: visible and infrared light, infrared light
  4  3: CO2 1 ppm from 32768, its sensor's figures (not kept)
  5  1: activity since the last (no index, not kept)
  6  1: TVOC 1 ppb
"""

from typing import Final

from decoders.native._decentlab import AIR_3X, BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-iam",
    vendor="Decentlab",
    name="DL-IAM",
    quantities=("temperature", "humidity", "pressure", "illuminance", "co2", "tvoc", "battery_voltage"),
    period_s=600,
    hints=("dl iam",),
)

_GROUPS: Final = (
    BATTERY,
    AIR_3X,
    Group(1, (Value("pressure", linear(0, 0, 0.02)),)),
    Group(2, (Value("illuminance", lambda w: 1.5504 * max(w[0] - 1.64 * w[1], 0.59 * w[0] - 0.86 * w[1], 0)),)),
    Group(3, (Value("co2", linear(0, 32768, 1)),)),
    Group(1, ()),
    Group(1, (Value("tvoc", linear(0, 0, 1)),)),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
