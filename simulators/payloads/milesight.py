"""Milesight AM103, EM300-DI and WS523.

Source: Milesight "AM103 User Guide", "EM300-DI Uplink Data" (milesight.com/products/docs), "WS52x User Guide",
section "Sensor Data": fields of channel, type, little-endian value. f_port 85.
  01 75 battery % uint8 | 03 67 temperature 0.1 degC int16 | 04 68 humidity 0.5 % uint8
  AM103     07 7D CO2 ppm uint16
  EM300-DI  05 C8 pulses uint32
            05 E1 water conversion 0.1 uint16, pulse conversion 0.1 uint16, water consumption float32
  WS523     03 74 voltage 0.1 V uint16 | 04 80 active power W uint32 | 05 81 power factor % uint8
            06 83 energy Wh uint32 | 07 C9 current mA uint16 | 08 70 socket 0 off, 1 on
"""

import struct

_LITRES_A_PULSE = 10.0


def _air(temperature_c: float, humidity_pct: float) -> bytes:
    return struct.pack("<2sh2sB", b"\x03\x67", round(temperature_c * 10), b"\x04\x68", round(humidity_pct * 2))


def indoor_air(*, temperature_c: float, humidity_pct: float, co2_ppm: float, battery_pct: int) -> bytes:
    """Return a periodic report of an AM103."""
    co2 = struct.pack("<2sH", b"\x07\x7d", round(co2_ppm))
    return bytes((0x01, 0x75, battery_pct)) + _air(temperature_c, humidity_pct) + co2


def water(*, volume_m3: float, temperature_c: float, humidity_pct: float, battery_pct: int) -> bytes:
    """Return a periodic report of an EM300-DI on a meter of 10 L a pulse, its consumption set to m3."""
    counted = struct.pack("<2sHHf", b"\x05\xe1", 10, round(_LITRES_A_PULSE * 10), volume_m3)
    return bytes((0x01, 0x75, battery_pct)) + _air(temperature_c, humidity_pct) + counted


def counted(*, temperature_c: float, humidity_pct: float, battery_pct: int) -> bytes:
    """Return a periodic report of an EM300-DI that counts pulses, but for its last four bytes: the count, uint32."""
    return bytes((0x01, 0x75, battery_pct)) + _air(temperature_c, humidity_pct) + b"\x05\xc8"


def socket(*, energy_wh: float, power_w: float, voltage_v: float, power_factor: float) -> bytes:
    """Return a periodic report of a WS523 that is on."""
    current_ma = power_w / voltage_v / power_factor * 1000
    return struct.pack(
        "<2sB2sB2sH2sH2sI2sI",
        b"\x08\x70",
        1,
        b"\x05\x81",
        round(power_factor * 100),
        b"\x07\xc9",
        round(current_ma),
        b"\x03\x74",
        round(voltage_v * 10),
        b"\x06\x83",
        round(energy_wh),
        b"\x04\x80",
        round(power_w),
    )
