"""MClimate 16ASPM: switch and power meter.

Source: docs.mclimate.eu, "16ASPM device communication protocol", page "Keep-alive". Frame: `_mclimate.py`.
Byte map:  .. 01 TT EE EE EE EE PP PP VV CC CC RR
  T  temperature  of the device; bit 7 below zero (from firmware 1.3), bits 6-0 1 degC
  E  energy       uint32 1 W.h
  P  power        uint16 1 W
  V  voltage      uint8 1 V
  C  current      uint16 1 mA
  R  relay        1 on
"""

import struct
from typing import Final

from decoders.native._mclimate import keep_alive
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-16aspm",
    vendor="MClimate",
    name="16ASPM",
    quantities=("active_energy_import", "active_power", "voltage", "current", "on", "device_temperature"),
    period_s=600,
    hints=("16aspm",),
)

_SIZES: Final = {0x01: 12}
_unpack = struct.Struct(">xBIHBHB").unpack


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    temperature, energy, power, voltage, current, relay = _unpack(keep_alive(payload, _SIZES))
    degrees = temperature & 0x7F
    return [
        Reading("active_energy_import", energy / 1000),
        Reading("active_power", power),
        Reading("voltage", voltage),
        Reading("current", current / 1000),
        Reading("on", relay & 1),
        Reading("device_temperature", -degrees if temperature & 0x80 else degrees),
    ]
