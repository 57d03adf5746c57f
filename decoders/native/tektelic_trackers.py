"""Tektelic Stork, Chickadee, Finch and Robin: what the trackers measure where they are.

Source: Tektelic, github.com/TektelicCommunications/data-converters, converters stork v2.2, chickadee v2.7
and robin-finch v1.0. Frame: `_tektelic.py`.
Channels:
  00 00  moved         FF yes                   00 71  acceleration: three int16 0.001 g
  03 67, 00 67  temperature int16 0.1 degC      04 68  humidity uint8 0.5 %
  00 BA  battery       bits 6-0 0.01 V from 2.5 V; bit 7 end of life: not kept
  00 D3  battery       uint8 1 %                00 BD  days left, not kept
  00 88  position      latitude int24 90/2^23 deg, longitude int24 180/2^23 deg; altitude: not kept (its formula in the
                       converter gives none below 500 m)
  00 85 time of the position, 00 92 speed, 00 95 and 02 95 why, 0D .. how good it is: not kept
Positions found by Wi-Fi and Bluetooth stand on other ports, and need a service to resolve them.
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._tektelic import ACCELERATION, AIR, decode_channels
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = (
    *("latitude", "longitude", "temperature", "humidity", "alarm", "acceleration_x", "acceleration_y"),
    *("acceleration_z", "battery_level", "battery_voltage"),
)

MODELS: Final = (
    Model("tektelic-chickadee", "Tektelic", "Chickadee", _QUANTITIES, 3600, ("tektelic chickadee", "chickadee")),
    Model("tektelic-finch", "Tektelic", "Finch", _QUANTITIES, 3600, ("tektelic finch",)),
    Model("tektelic-robin", "Tektelic", "Robin", _QUANTITIES, 3600, ("tektelic robin",)),
    Model("tektelic-stork", "Tektelic", "Stork", _QUANTITIES, 3600, ("tektelic stork",)),
)


_CHANNELS: Final[Channels] = {
    **AIR,
    (0x00, 0x00): (Part(1, "alarm", mask=0xFF),),
    (0x00, 0x67): (Part(2, "temperature", 10, signed=True),),
    (0x00, 0x71): ACCELERATION,
    (0x00, 0x85): (Part(4),),
    (0x00, 0x88): (
        Part(3, "latitude", 2**23 / 90, signed=True),
        Part(3, "longitude", 2**23 / 180, signed=True),
        Part(2),
    ),
    (0x00, 0x92): (Part(1),),
    (0x00, 0x95): (Part(1),),
    (0x00, 0xBA): (Part(1, "battery_voltage"),),
    (0x00, 0xBD): (Part(2),),
    (0x00, 0xD3): (Part(1, "battery_level"),),
    (0x02, 0x95): (Part(1),),
    (0x0D, 0x0F): (Part(2),),
    (0x0D, 0x3C): (Part(1),),
    (0x0D, 0x63): (Part(4),),
    (0x0D, 0x64): (Part(2),),
    (0x0D, 0x95): (Part(1),),
    (0x0D, 0x96): (Part(2),),
    (0x0D, 0x97): (Part(4),),
    (0x0D, 0x98): (Part(4),),
    (0x0D, 0x99): (Part(1),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return [
        reading._replace(value=2.5 + (int(reading.value) & 0x7F) / 100)
        if reading.quantity == "battery_voltage"
        else reading
        for reading in decode_channels(payload, f_port, _CHANNELS)
    ]
