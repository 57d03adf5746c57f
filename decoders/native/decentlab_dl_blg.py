"""Decentlab DL-BLG: temperature of a black globe.

Source: Decentlab, DL-BLG user guide, "LoRaWAN payload"; github.com/decentlab/decentlab-decoders (November 2025).
Frame: `_decentlab.py`. Groups of words:
  0  2: ratio of voltages, low word first, 2^23 at 0 and 2^24 at 1/2; a thermistor behind 41 kOhm (Steinhart-Hart)
  1  battery 0.001 V
"""

import math
from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, Words, decode_decentlab
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-blg",
    vendor="Decentlab",
    name="DL-BLG",
    quantities=("temperature", "battery_voltage"),
    period_s=600,
    hints=("dl blg",),
)


def _temperature(words: Words) -> float:
    ratio = ((words[0] + (words[1] << 16)) / (1 << 23) - 1) / 2
    logarithm = math.log(1000 / ratio - 41_000)
    return 1 / (0.0008271111 + 0.000208802 * logarithm + 0.000000080592 * logarithm**3) - 273.15


def _temperature_if_connected(words: Words) -> float:
    try:
        return _temperature(words)
    except (ValueError, ZeroDivisionError):
        raise DecodeError("no thermistor") from None


_GROUPS: Final = (Group(2, (Value("temperature", _temperature_if_connected),)), BATTERY)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
