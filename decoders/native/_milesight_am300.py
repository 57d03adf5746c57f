"""Milesight AM300 series: the channels that AM307, AM308 and AM319 share, and those of the particles and gases.

Source: Milesight, README of github.com/Milesight-IoT/SensorDecoders, am-series/am307, am308, am319-hcho. Frame:
`_milesight.py`. Channels of all:
  01 75  battery      uint8  1 %
  03 67  temperature  int16  0.1 degC
  04 68  humidity     uint8  0.5 %
  05 00  presence     1 somebody
  06 CB  light        level 0-5, not kept
  07 7D  CO2          uint16 1 ppm
  08 7D  TVOC         uint16 0.01 of an index, or 08 E6  uint16 1 ug/m3
  09 73  pressure     uint16 0.1 hPa
  0E 01  buzzer       not kept
  20 CE  the past     temperature, humidity (uint16 0.5 %), presence, light, CO2, TVOC as an index, pressure, and the
         model's own
  21 CE  likewise, TVOC in ug/m3
Of some models, in the order in which the past tells them:
  0B 7D  PM2.5        uint16 1 ug/m3
  0C 7D  PM10         uint16 1 ug/m3
  0A 7D  formaldehyde uint16 0.01 mg/m3
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._milesight import AIR, CO2, PRESSURE, TEMPERATURE

QUANTITIES: Final = (
    *("temperature", "humidity", "presence", "co2", "iaq_index", "tvoc_concentration", "pressure", "battery_level"),
)

PM2_5: Final = 0x0B, Part(2, "pm2_5")
PM10: Final = 0x0C, Part(2, "pm10")
FORMALDEHYDE: Final = 0x0A, Part(2, "formaldehyde", 0.1)  # 0.01 mg/m3 is 10 ug/m3

_PRESENCE: Final = Part(1, "presence")
_INDEX: Final = Part(2, "iaq_index", 100)
_MASS: Final = Part(2, "tvoc_concentration")
_PAST: Final = (TEMPERATURE, Part(2, "humidity", 2), _PRESENCE, Part(1), CO2)


def channels_with(*own: tuple[int, Part]) -> Channels:
    """Return the channels of a model that has these besides what all have."""
    rest = (PRESSURE, *(part for _, part in own))
    return {
        **AIR,
        (0x05, 0x00): (_PRESENCE,),
        (0x06, 0xCB): (Part(1),),
        (0x07, 0x7D): (CO2,),
        (0x08, 0x7D): (_INDEX,),
        (0x08, 0xE6): (_MASS,),
        (0x09, 0x73): (PRESSURE,),
        **{(channel, 0x7D): (part,) for channel, part in own},
        (0x0E, 0x01): (Part(1),),
        (0x20, 0xCE): (*_PAST, _INDEX, *rest),
        (0x21, 0xCE): (*_PAST, _MASS, *rest),
    }
