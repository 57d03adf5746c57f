"""Netvox R711 (R712), R718A, R718AB, R720A: temperature and humidity.

Source: Netvox, R718A and R718AB user manuals, section 5.1; the vendor's codec in
github.com/TheThingsNetwork/lorawan-devices, vendor/netvox, for the kinds of device. Frame: `_netvox.py`.
Values, kinds 01 (R711), 0B (R718A), 13 (R718AB), 6E (R720A):  TT TT HH HH and three of nothing
  T  temperature  int16 0.01 degC
  H  humidity     uint16 0.01 %
"""

import struct
from typing import Final

from decoders.native._netvox import BATTERY, report
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", "humidity", *BATTERY)

MODELS: Final = (
    Model("netvox-r711", "Netvox", "R711", _QUANTITIES, 3600, ("r711", "r712")),
    Model("netvox-r718a", "Netvox", "R718A", _QUANTITIES, 900, ("r718a",)),
    Model("netvox-r718ab", "Netvox", "R718AB", _QUANTITIES, 900, ("r718ab",)),
    Model("netvox-r720a", "Netvox", "R720A", _QUANTITIES, 900, ("r720a",)),
)

_DEVICES: Final = frozenset((0x01, 0x0B, 0x13, 0x6E))
_unpack = struct.Struct(">hH3x").unpack


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    values, readings = report(payload, f_port, _DEVICES)
    if not values:
        return readings
    temperature, humidity = _unpack(values)
    return [Reading("temperature", temperature / 100), Reading("humidity", humidity / 100), *readings]
