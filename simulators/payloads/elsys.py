"""Elsys ERS CO2: a room's air.

Source: Elsys, "Elsys LoRa payload" (elsys.se), types and sizes: a type, then its value, big-endian. f_port 5.
  01 temperature 0.1 degC int16 | 02 humidity 1 % uint8 | 04 light lx uint16 | 06 CO2 ppm uint16 | 07 battery mV uint16
"""

import struct


def room(*, temperature_c: float, humidity_pct: float, light_lx: float, co2_ppm: float, battery_v: float) -> bytes:
    """Return a periodic frame: five readings."""
    return struct.pack(
        ">BhBBBHBHBH",
        0x01,
        round(temperature_c * 10),
        0x02,
        round(humidity_pct),
        0x04,
        round(light_lx),
        0x06,
        round(co2_ppm),
        0x07,
        round(battery_v * 1000),
    )
