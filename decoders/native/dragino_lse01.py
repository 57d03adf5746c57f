"""Dragino LSE01 soil moisture, temperature and conductivity sensor.

Source: Dragino, LSE01 LoRaWAN Soil Moisture & EC Sensor User Manual, section 2.3;
github.com/dragino/dragino-end-node-decoder, folder LSE01, v1.2.1 (the raw mode).
Byte map, big-endian, f_port 2, 11 bytes:  BB BB RR RR MM MM TT TT CC CC FF
  B  battery            bits 13-0 of uint16  0.001 V
  R  reserved (a DS18B20 probe that the product does not have)
  F  bit 7 mode, bit 4 sensor found, bits 3-0 interrupt
  mode 0:
  M  soil moisture      uint16  0.01 %
  T  soil temperature   int16   0.01 degC
  C  soil conductivity  uint16  1 uS/cm
  mode 1 (raw):
  M  dielectric constant, not in the vocabulary
  T  raw moisture       uint16
  C  raw conductivity, not in the vocabulary
The manual computes a negative temperature as (value - 0xFFFF) / 100, 0.01 degC above the two's complement
that the probe sends; two's complement is used here.
"""

import struct
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="dragino-lse01",
    vendor="Dragino",
    name="LSE01",
    quantities=(
        "soil_moisture",
        "soil_temperature",
        "soil_conductivity",
        "soil_moisture_raw",
        "battery_voltage",
    ),
    period_s=1200,
    hints=("lse01",),
)

_CALIBRATED: Final = struct.Struct(">HhHhHB")
_RAW_MODE: Final = 0x80


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if f_port != 2 or len(payload) != 11:
        raise DecodeError(f"f_port {f_port}, {len(payload)} bytes")
    battery_mv, _, moisture, temperature, conductivity, flags = _CALIBRATED.unpack(payload)
    battery = Reading("battery_voltage", (battery_mv & 0x3FFF) / 1000)
    if flags & _RAW_MODE:
        return [battery, Reading("soil_moisture_raw", temperature & 0xFFFF)]
    return [
        battery,
        Reading("soil_moisture", moisture / 100),
        Reading("soil_temperature", temperature / 100),
        Reading("soil_conductivity", conductivity),
    ]
