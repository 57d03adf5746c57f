"""Makerfabs AgroSense soil moisture sensor.

Source: Makerfabs wiki, "AgroSense LoRaWAN Sensor Instruction Manual", soil moisture sensor.
Byte map, big-endian, f_port 2:
  NN NN SS SS BB HH HH TT TT
    N message number | S raw ADC of the soil probe | B battery 0.1 V | H air humidity 0.1 % | T air temp. 0.1 degC
"""

import struct


def soil(*, number: int, raw: float, battery_v: float, humidity_pct: float, temperature_c: float) -> bytes:
    """Return one frame; `raw` falls as the soil gets wetter."""
    return struct.pack(
        ">HHBHh",
        number & 0xFFFF,
        round(raw),
        round(battery_v * 10),
        round(humidity_pct * 10),
        round(temperature_c * 10),
    )
