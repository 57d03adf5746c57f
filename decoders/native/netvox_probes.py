"""Netvox R718B2, R718CK2, R718CT2, R718CN2: two temperature probes.

Source: Netvox, R718B2 and R718CN2 user manuals, section 5.1. Frame: `_netvox.py`.
Values, kinds 14 (R718B2), 16 (R718CK2), 17 (R718CT2), 18 (R718CN2):  TT TT UU UU and three of nothing
  T, U  temperature  int16 0.1 degC: channels 0 and 1
Thermocouples measure beyond what the vocabulary's range of air calls plausible: such values are kept as measured.
"""

import struct
from typing import Final

from decoders.native._netvox import BATTERY, report
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", *BATTERY)

MODELS: Final = (
    Model("netvox-r718b2", "Netvox", "R718B2", _QUANTITIES, 900, ("r718b2",)),
    Model("netvox-r718ck2", "Netvox", "R718CK2", _QUANTITIES, 900, ("r718ck2",)),
    Model("netvox-r718ct2", "Netvox", "R718CT2", _QUANTITIES, 900, ("r718ct2",)),
    Model("netvox-r718cn2", "Netvox", "R718CN2", _QUANTITIES, 900, ("r718cn2",)),
)

_DEVICES: Final = frozenset((0x14, 0x16, 0x17, 0x18))
_unpack = struct.Struct(">hh3x").unpack


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    values, readings = report(payload, f_port, _DEVICES)
    if not values:
        return readings
    first, second = _unpack(values)
    return [Reading("temperature", first / 10), Reading("temperature", second / 10, 1), *readings]
