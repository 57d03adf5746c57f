"""MClimate 16ADS: dry switch.

Source: docs.mclimate.eu, "16ADS device communication protocol", page "Keep-alive". Frame: `_mclimate.py`.
Byte map:  .. 01 TT RR
  T  temperature  of the device; bit 7 below zero, bits 6-0 1 degC
  R  relay        1 on
"""

from typing import Final

from decoders.native._mclimate import keep_alive
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-16ads",
    vendor="MClimate",
    name="16ADS",
    quantities=("on", "device_temperature"),
    period_s=600,
    hints=(
        "16ads",
        "16a dry switch",
    ),
)

_SIZES: Final = {0x01: 3}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    _, temperature, relay = keep_alive(payload, _SIZES)
    degrees = temperature & 0x7F
    return [Reading("on", relay & 1), Reading("device_temperature", -degrees if temperature & 0x80 else degrees)]
