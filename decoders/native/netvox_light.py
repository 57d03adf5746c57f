"""Netvox R311B, R311G, R718G: light; RB11E: presence, light, temperature; R311WA: two seats.

Source and frame: `_netvox.py`. Values, from byte 4:
  04 (R311G), 4B (R311B)  light uint16 1 lx
  1E (R718G)              light uint32 1 lx
  03 (RB11E)              temperature int16 0.01 degC, light uint16 1 lx, presence 1, taken off its base 1
  5A (R311WA)             seats taken, one byte each: channels 0 and 1
"""

from typing import Final

from decoders.native._netvox import BATTERY, TEMPERATURE, Value, by_kind, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_LIGHT: Final = ("illuminance", *BATTERY)
_ROOM: Final = ("temperature", "illuminance", "presence", "tamper", *BATTERY)

MODELS: Final = (
    Model("netvox-r311b", "Netvox", "R311B", _LIGHT, 3600, ("r311b", "r313b")),
    Model("netvox-r311g", "Netvox", "R311G", _LIGHT, 3600, ("r311g",)),
    Model("netvox-r311wa", "Netvox", "R311WA", ("presence", *BATTERY), 3600, ("r311wa",)),
    Model("netvox-r718g", "Netvox", "R718G", _LIGHT, 3600, ("r718g",)),
    Model("netvox-rb11e", "Netvox", "RB11E", _ROOM, 3600, ("rb11e",)),
)

_FORMS: Final = by_kind(
    {
        **dict.fromkeys((0x04, 0x4B), (Value(4, 2, "illuminance"),)),
        0x1E: (Value(4, 4, "illuminance"),),
        0x03: (
            TEMPERATURE,
            Value(6, 2, "illuminance"),
            Value(8, 1, "presence", flag=True),
            Value(9, 1, "tamper", flag=True),
        ),
        0x5A: flags("presence", 2),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
