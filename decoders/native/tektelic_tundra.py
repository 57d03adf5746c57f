"""Tektelic Tundra: cold room temperature, humidity, probe, door.

Source: Tektelic, github.com/TektelicCommunications/data-converters, converters tundra v1.4 and v2.1. Frame:
`_tektelic.py`. Channels:
  00 FF  battery      int16 0.01 V       00 D3  battery uint8 1 %, 00 BD days left, not kept
  00 00  shock alarm  FF yes             00 71  acceleration: three int16 0.001 g
  02 02  probe        int16 0.001 V      02 67  probe int16 0.1 degC: channel 1
  03 67  temperature  int16 0.1 degC     04 68  humidity uint8 0.5 %
  0B 67  of the device int16 0.1 degC
  0E 00  magnet       FF away: open      0F 04  how many times since the last frame: no index, not kept
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._tektelic import ACCELERATION, AIR, BATTERY, MCU, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="tektelic-tundra",
    vendor="Tektelic",
    name="Tundra",
    quantities=(
        "temperature",
        "humidity",
        "open",
        "alarm",
        "acceleration_x",
        "acceleration_y",
        "acceleration_z",
        "analog_voltage",
        "device_temperature",
        "battery_voltage",
        "battery_level",
    ),
    period_s=3600,
    hints=("tektelic tundra", "tundra"),
)

_CHANNELS: Final[Channels] = {
    **BATTERY,
    **AIR,
    **MCU,
    (0x00, 0x00): (Part(1, "alarm", mask=0xFF),),
    (0x00, 0x71): ACCELERATION,
    (0x02, 0x02): (Part(2, "analog_voltage", 1000, signed=True),),
    (0x02, 0x67): (Part(2, "temperature", 10, signed=True, channel=1),),
    (0x0E, 0x00): (Part(1, "open", mask=0xFF),),
    (0x0F, 0x04): (Part(2),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, f_port, _CHANNELS)
