"""Netvox RA07, R726, RA07Y and R718PA series: one form for sensors of air, water and soil.

Source and frame: `_netvox.py`; R718PA8, R718PA10, R72601 and R72615A user manuals, section 5.1. Values, from byte 4,
kinds 05 (RA07), 09 (R726), 0D (RA07Y), 57 (R718PA):
  report 1, 2   PM1, PM2.5, PM10 uint16 1 ug/m3: 2 in the air as it is, 1 by the factory's standard: channel 1
  report 5      ozone: not kept (0.1 ppm is no mass); CO uint16 0.1 ppm; NO: not kept
  report 7      CO2 uint16 0.1 ppm, NH3: not kept, noise uint16 0.1 dB
  report 8      pH uint16 0.01, water's temperature int16 0.01 degC, redox: not kept
  report 9      turbidity uint16 0.1 NTU, water's temperature int16 0.01 degC, soil moisture uint16 0.01 %
  report 10     soil moisture uint16 0.01 %, its temperature int16 0.01 degC, water level uint16 1 mm
  report 11     water's temperature int16 0.01 degC, dissolved oxygen uint16 0.01 mg/L, saturation: not kept
  report 12     temperature int16 0.01 degC, humidity uint16 0.01 %, wind uint16 0.01 m/s
  report 13     wind's direction uint16 1 deg, pressure uint32 0.01 hPa
  others        particles by number, gases: not kept
All bits set: the device has no such sensor.
"""

from typing import Final

from decoders.native._netvox import BATTERY, HUMIDITY, TEMPERATURE, Form, Forms, Value, decode_report
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = (
    *("pm1", "pm2_5", "pm10", "carbon_monoxide", "co2", "sound_level", "ph", "water_temperature", "turbidity"),
    *("soil_moisture", "soil_temperature", "water_level", "dissolved_oxygen", "temperature", "humidity"),
    *("wind_speed", "wind_direction", "pressure", *BATTERY),
)

MODELS: Final = (
    Model("netvox-r718pa", "Netvox", "R718PA series", _QUANTITIES, 900, ("r718pa",)),
    Model("netvox-r726", "Netvox", "R726 series", _QUANTITIES, 900, ("r726", "r72615a", "r72615", "r72601")),
    Model("netvox-ra07", "Netvox", "RA07 series", _QUANTITIES, 900, ("ra07", "ra0715", "ra0701")),
    Model("netvox-ra07y", "Netvox", "RA07Y series", _QUANTITIES, 900, ("ra07y", "ra0715y")),
)

_WATER: Final = Value(6, 2, "water_temperature", 100, signed=True)
_REPORTS: Final[dict[int, Form]] = {
    1: (Value(4, 2, "pm1", channel=1), Value(6, 2, "pm2_5", channel=1), Value(8, 2, "pm10", channel=1)),
    2: (Value(4, 2, "pm1"), Value(6, 2, "pm2_5"), Value(8, 2, "pm10")),
    **dict.fromkeys((3, 4, 6, 14), ()),
    5: (Value(6, 2, "carbon_monoxide", 10),),
    7: (Value(4, 2, "co2", 10), Value(8, 2, "sound_level", 10)),
    8: (Value(4, 2, "ph", 100), _WATER),
    9: (Value(4, 2, "turbidity", 10), _WATER, Value(8, 2, "soil_moisture", 100)),
    10: (
        Value(4, 2, "soil_moisture", 100),
        Value(6, 2, "soil_temperature", 100, signed=True),
        Value(8, 2, "water_level", 1000),
    ),
    11: (_WATER._replace(at=4), Value(6, 2, "dissolved_oxygen", 100)),
    12: (TEMPERATURE, HUMIDITY, Value(8, 2, "wind_speed", 100)),
    13: (Value(4, 2, "wind_direction"), Value(6, 4, "pressure", 100)),
}
_FORMS: Final[Forms] = {(kind, report): form for kind in (0x05, 0x09, 0x0D, 0x57) for report, form in _REPORTS.items()}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS, absent=True)
