"""Tektelic Kiwi and Clover: soil, air, light.

Source: Tektelic, github.com/TektelicCommunications/data-converters, converter kiwi-clover v2.0 (the tension of a
Watermark probe from its frequency is its table). Frame: `_tektelic.py`. Channels:
  00 BA  battery      bits 6-0 0.01 V from 2.5 V; bit 7 end of life
  00 D3  battery      uint8 1 %          00 BD  days left, not kept
  01 04  soil probe   uint16 1 kHz: soil_moisture_raw
  02 02, 03 02, 04 02 inputs 2, 3, 4, uint16 0.001 V: channels 0, 1, 2 of analog_voltage
  03 67, 04 67        inputs 3, 4, int16 0.1 degC: channels 1, 2 of soil_temperature
  05 04, 06 04        Watermark probes, uint16 1 Hz: channels 0, 1 of soil_water_tension
  09 65  light        uint16 1 lx        09 00, 0A 00  alarms of light and position, FF yes: channels 0, 1
  0A 71  acceleration three int16 0.001 g
  0B 67  temperature  int16 0.1 degC     0B 68  humidity uint8 0.5 %
  0C 67  of the device int16 0.1 degC    0D 73  reserved, not kept
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._tektelic import ACCELERATION, decode_channels
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = (
    "temperature",
    "humidity",
    "illuminance",
    "soil_moisture_raw",
    "soil_temperature",
    "soil_water_tension",
    "analog_voltage",
    "alarm",
    "acceleration_x",
    "acceleration_y",
    "acceleration_z",
    "device_temperature",
    "battery_voltage",
    "battery_level",
    "battery_low",
)

MODELS: Final = (
    Model("tektelic-kiwi", "Tektelic", "Kiwi", _QUANTITIES, 3600, ("tektelic kiwi",)),
    Model("tektelic-clover", "Tektelic", "Clover", _QUANTITIES, 3600, ("tektelic clover",)),
)

_WATERMARK, _BATTERY = "watermark", "battery"
_CHANNELS: Final[Channels] = {
    (0x00, 0xBA): (Part(1, _BATTERY),),
    (0x00, 0xBD): (Part(2),),
    (0x00, 0xD3): (Part(1, "battery_level"),),
    (0x01, 0x04): (Part(2, "soil_moisture_raw"),),
    (0x02, 0x02): (Part(2, "analog_voltage", 1000),),
    (0x03, 0x02): (Part(2, "analog_voltage", 1000, channel=1),),
    (0x03, 0x67): (Part(2, "soil_temperature", 10, signed=True, channel=1),),
    (0x04, 0x02): (Part(2, "analog_voltage", 1000, channel=2),),
    (0x04, 0x67): (Part(2, "soil_temperature", 10, signed=True, channel=2),),
    (0x05, 0x04): (Part(2, _WATERMARK),),
    (0x06, 0x04): (Part(2, _WATERMARK, channel=1),),
    (0x09, 0x00): (Part(1, "alarm", mask=0xFF),),
    (0x09, 0x65): (Part(2, "illuminance"),),
    (0x0A, 0x00): (Part(1, "alarm", mask=0xFF, channel=1),),
    (0x0A, 0x71): ACCELERATION,
    (0x0B, 0x67): (Part(2, "temperature", 10, signed=True),),
    (0x0B, 0x68): (Part(1, "humidity", 2),),
    (0x0C, 0x67): (Part(2, "device_temperature", 10, signed=True),),
    (0x0D, 0x73): (Part(2),),
}

# From this frequency up (Hz), the tension at it (kPa) and how much it falls for each Hz above.
_TENSIONS: Final = (
    (4330, 9, 0.004286),
    (2820, 15, 0.003974),
    (1110, 35, 0.0117),
    (770, 55, 0.05884),
    (600, 75, 0.1176),
    (485, 100, 0.2174),
    (293, 200, 0.5208),
)
_WETTEST_HZ: Final = 6430
_DRIEST_KPA: Final = 200


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings: list[Reading] = []
    for reading in decode_channels(payload, f_port, _CHANNELS):
        if reading.quantity == _WATERMARK:
            readings.append(reading._replace(quantity="soil_water_tension", value=_tension(reading.value)))
        elif reading.quantity == _BATTERY:
            bits = int(reading.value)
            readings += [Reading("battery_voltage", 2.5 + (bits & 0x7F) / 100), Reading("battery_low", bits >> 7)]
        else:
            readings.append(reading)
    return readings


def _tension(frequency: float) -> float:
    if frequency > _WETTEST_HZ:
        return 0
    for least, tension, slope in _TENSIONS:
        if frequency >= least:
            return tension - (frequency - least) * slope
    return _DRIEST_KPA
