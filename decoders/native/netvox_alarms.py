"""Netvox R312A, RB02I, R718T: buttons; R311FA, R718DA, R718DB, R718MBA: vibration; RA02A, RA02C: smoke, CO.

Source and frame: `_netvox.py`. Values, from byte 4, one byte each, 1 when it is so:
  10 (RB02I), 31 (R718T), 4D (R312A)                          pressed
  1A (R718DA), 1B (R718DB), 27 (R718MBA), 4F (R311FA)         moved
  2F (R718DA2), 3D (R718DB2)                                  two sensors: channels 0 and 1
  0A (RA02A)  smoke; too hot: channel 1; temperature int16 0.1 degC
  11 (RA02C)  carbon monoxide; too hot: channel 1
"""

from typing import Final

from decoders.native._netvox import BATTERY, Value, by_kind, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("alarm", *BATTERY)

MODELS: Final = (
    Model("netvox-r311fa", "Netvox", "R311FA", _QUANTITIES, 3600, ("r311fa",)),
    Model("netvox-r312a", "Netvox", "R312A", _QUANTITIES, 3600, ("r312a",)),
    Model("netvox-r718da", "Netvox", "R718DA", _QUANTITIES, 3600, ("r718da",)),
    Model("netvox-r718da2", "Netvox", "R718DA2", _QUANTITIES, 3600, ("r718da2",)),
    Model("netvox-r718db", "Netvox", "R718DB", _QUANTITIES, 3600, ("r718db",)),
    Model("netvox-r718db2", "Netvox", "R718DB2", _QUANTITIES, 3600, ("r718db2",)),
    Model("netvox-r718mba", "Netvox", "R718MBA", _QUANTITIES, 3600, ("r718mba",)),
    Model("netvox-r718t", "Netvox", "R718T", _QUANTITIES, 3600, ("r718t",)),
    Model("netvox-ra02a", "Netvox", "RA02A", (*_QUANTITIES, "temperature"), 3600, ("ra02a",)),
    Model("netvox-ra02c", "Netvox", "RA02C", _QUANTITIES, 3600, ("ra02c",)),
    Model("netvox-rb02i", "Netvox", "RB02I", _QUANTITIES, 3600, ("rb02i",)),
)

_ONE, _TWO = flags("alarm"), flags("alarm", 2)
_FORMS: Final = by_kind(
    {
        **dict.fromkeys((0x10, 0x31, 0x4D, 0x1A, 0x1B, 0x27, 0x4F), _ONE),
        **dict.fromkeys((0x2F, 0x3D, 0x11), _TWO),
        0x0A: (*_TWO, Value(6, 2, "temperature", 10, signed=True)),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
