"""Netvox R311W, R718WA, R718WB, R718WB2: water leak.

Source and frame: `_netvox.py`. Values, from byte 4, one byte each, 1 when there is water:
  06 (R311W), 47 (R718WB2)  two detectors: channels 0 and 1
  12 (R718WB), 32 (R718WA)  one
"""

from typing import Final

from decoders.native._netvox import BATTERY, by_kind, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("water_leak", *BATTERY)

MODELS: Final = (
    Model("netvox-r311w", "Netvox", "R311W", _QUANTITIES, 3600, ("r311w",)),
    Model("netvox-r718wa", "Netvox", "R718WA", _QUANTITIES, 3600, ("r718wa",)),
    Model("netvox-r718wb", "Netvox", "R718WB", _QUANTITIES, 3600, ("r718wb",)),
    Model("netvox-r718wb2", "Netvox", "R718WB2", _QUANTITIES, 3600, ("r718wb2",)),
)

_FORMS: Final = by_kind(
    {
        **dict.fromkeys((0x06, 0x47), flags("water_leak", 2)),
        **dict.fromkeys((0x12, 0x32), flags("water_leak")),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
