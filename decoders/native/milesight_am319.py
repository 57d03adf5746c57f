"""Milesight AM319-HCHO: indoor air.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, am-series/am319-hcho. Frame: `_milesight.py`.
Channels:
  01 75  battery      uint8  1 %
  03 67  temperature  int16  0.1 degC
  04 68  humidity     uint8  0.5 %
  05 00  presence     1 somebody
  06 CB  light        level 0-5, not kept
  07 7D  CO2          uint16 1 ppm
  08 7D  TVOC         uint16 0.01 of an index, or 08 E6  uint16 1 ug/m3
  09 73  pressure     uint16 0.1 hPa
  0E 01  buzzer       not kept
  0A 7D  formaldehyde uint16 0.01 mg/m3
  0B 7D  PM2.5        uint16 1 ug/m3
  0C 7D  PM10         uint16 1 ug/m3
  20 CE  the past     temperature, humidity (uint16 0.5 %), presence, light, CO2, TVOC as an index, pressure, PM2.5,
         PM10, formaldehyde
  21 CE  likewise, TVOC in ug/m3
"""

from typing import Final

from decoders.native._milesight import AIR, CO2, PRESSURE, TEMPERATURE, Part, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="milesight-am319-hcho",
    vendor="Milesight",
    name="AM319-HCHO",
    quantities=(
        *("temperature", "humidity", "presence", "co2", "iaq_index", "tvoc_concentration", "pressure"),
        *("formaldehyde", "pm2_5", "pm10", "battery_level"),
    ),
    period_s=600,
    hints=("am319 hcho", "am319"),
)

_PRESENCE: Final = Part(1, "presence")
_INDEX: Final = Part(2, "iaq_index", 100)
_MASS: Final = Part(2, "tvoc_concentration")
_FORMALDEHYDE: Final = Part(2, "formaldehyde", 0.1)  # 0.01 mg/m3 is 10 ug/m3
_PAST: Final = (TEMPERATURE, Part(2, "humidity", 2), _PRESENCE, Part(1), CO2)
_PAST_REST: Final = (PRESSURE, Part(2, "pm2_5"), Part(2, "pm10"), _FORMALDEHYDE)
_CHANNELS: Final = {
    **AIR,
    (0x05, 0x00): (_PRESENCE,),
    (0x06, 0xCB): (Part(1),),
    (0x07, 0x7D): (CO2,),
    (0x08, 0x7D): (_INDEX,),
    (0x08, 0xE6): (_MASS,),
    (0x09, 0x73): (PRESSURE,),
    (0x0A, 0x7D): (_FORMALDEHYDE,),
    (0x0B, 0x7D): (Part(2, "pm2_5"),),
    (0x0C, 0x7D): (Part(2, "pm10"),),
    (0x0E, 0x01): (Part(1),),
    (0x20, 0xCE): (*_PAST, _INDEX, *_PAST_REST),
    (0x21, 0xCE): (*_PAST, _MASS, *_PAST_REST),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, _CHANNELS)
