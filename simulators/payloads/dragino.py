"""Dragino DDS75-LB and LSE01.

Source: Dragino wiki, "DDS75-LB LoRaWAN Distance Detection Sensor User Manual" 2.3 and "LSE01 LoRaWAN Soil
Moisture & EC Sensor User Manual" 2.3.
Byte maps, big-endian, f_port 2:
  DDS75-LB  BB BB DD DD II TT TT FF
    B battery mV, low 14 bits | D distance mm | I interrupt | T DS18B20 0.1 degC (0x0CCC: none) | F sensor found
  LSE01     BB BB PP PP WW WW TT TT CC CC FF
    B battery mV, low 14 bits | P DS18B20 0.1 degC (0: none) | W soil water 0.01 % | T soil temperature 0.01 degC
    | C conductivity uS/cm | F digital input flags
"""

import struct

_NO_PROBE = 0x0CCC
_SENSOR_FOUND = 0x01
_LSE01_FLAGS = 0x10


def _battery(battery_v: float) -> int:
    return min(0x3FFF, round(battery_v * 1000))


def distance(distance_m: float, *, battery_v: float) -> bytes:
    """Return a frame of a DDS75-LB; it measures 0.28 to 7.5 m, and says 0 when nothing answers."""
    distance_mm = round(distance_m * 1000)
    seen = distance_mm if 280 <= distance_mm <= 7500 else 0
    return struct.pack(">HHBHB", _battery(battery_v), seen, 0, _NO_PROBE, _SENSOR_FOUND)


def soil(*, moisture_pct: float, temperature_c: float, conductivity_us_cm: float, battery_v: float) -> bytes:
    """Return a frame of an LSE01 without an outer probe."""
    return struct.pack(
        ">HhHhHB",
        _battery(battery_v),
        0,
        round(min(100.0, max(0.0, moisture_pct)) * 100),
        round(temperature_c * 100),
        round(conductivity_us_cm),
        _LSE01_FLAGS,
    )
