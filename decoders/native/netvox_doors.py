"""Netvox R311A, R718F, R730F and their doubles: doors and windows, by a reed contact.

Source and frame: `_netvox.py`; R313A user manual, section 5, for what the bit says. Values, from byte 4, one byte each,
1 open:
  02 (R311A), 1D (R718F), 7D (R730F)  one contact
  3E (R718F2), 7E (R730F2)            two: channels 0 and 1
"""

from typing import Final

from decoders.native._netvox import BATTERY, by_kind, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("open", *BATTERY)

MODELS: Final = (
    Model("netvox-r311a", "Netvox", "R311A", _QUANTITIES, 3600, ("r311a", "r313a")),
    Model("netvox-r718f", "Netvox", "R718F", _QUANTITIES, 3600, ("r718f",)),
    Model("netvox-r718f2", "Netvox", "R718F2", _QUANTITIES, 3600, ("r718f2",)),
    Model("netvox-r730f", "Netvox", "R730F", _QUANTITIES, 3600, ("r730f",)),
    Model("netvox-r730f2", "Netvox", "R730F2", _QUANTITIES, 3600, ("r730f2",)),
)

_FORMS: Final = by_kind(
    {
        **dict.fromkeys((0x02, 0x1D, 0x7D), flags("open")),
        **dict.fromkeys((0x3E, 0x7E), flags("open", 2)),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
