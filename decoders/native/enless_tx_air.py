"""Enless TX T&H, VOC and CO2: 600-021, 600-022, 600-023, 600-034.

Source and frame: `_enless.py`. The examples in github.com/TheThingsNetwork/lorawan-devices show CO2 and VOC ten
times too low (60.9 ppm is not air): the vendor's package is followed.
Values by kind of device:
  04 600-021, 05 600-022, 06 600-023  temperature, humidity, VOC, CO2; zeros where the device has none
  0E 600-034                          temperature, humidity
  temperature int16 0.1 degC, humidity uint16 0.1 %, VOC uint16 1 ppb, CO2 uint16 1 ppm
"""

from struct import Struct
from typing import Final

from decoders.native._enless import HUMIDITY, STATES, TEMPERATURE, Kind, Value, decode_tx
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", "humidity", "tvoc", "co2", *STATES)

MODELS: Final = (
    Model("enless-600-021", "Enless", "TX T&H AMB 600-021", _QUANTITIES, None, ("600 021",)),
    Model("enless-600-022", "Enless", "TX VOC/T&H AMB 600-022", _QUANTITIES, None, ("600 022",)),
    Model("enless-600-023", "Enless", "TX CO2/VOC/T&H AMB 600-023", _QUANTITIES, None, ("600 023",)),
    Model("enless-600-034", "Enless", "TX T&H EXT 600-034", _QUANTITIES, None, ("600 034",)),
)

_AIR: Final = Struct(">hHHH")
_VOC, _CO2 = Value("tvoc"), Value("co2")
_KINDS: Final = {
    0x04: Kind(_AIR, (TEMPERATURE, HUMIDITY)),
    0x05: Kind(_AIR, (TEMPERATURE, HUMIDITY, _VOC)),
    0x06: Kind(_AIR, (TEMPERATURE, HUMIDITY, _VOC, _CO2)),
    0x0E: Kind(Struct(">hH"), (TEMPERATURE, HUMIDITY)),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings, _ = decode_tx(payload, _KINDS)
    return readings
