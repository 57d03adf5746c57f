"""Netvox R718X and R718PE: level by ultrasound; R718Y: differential pressure.

Source and frame: `_netvox.py`. Values, from byte 4:
  34 (R718X)   something is there 1, distance uint16 1 mm, temperature int16 0.1 degC, filling and slope: not kept
  B1 (R718PE)  something is there 1, distance uint16 1 mm, filling: not kept
  AC (R718Y)   pressure int16 0.1 Pa, temperature int16 0.1 degC
"""

from typing import Final

from decoders.native._netvox import BATTERY, Value, by_kind, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_LEVEL: Final = ("presence", "distance", *BATTERY)

MODELS: Final = (
    Model("netvox-r718pe", "Netvox", "R718PE", _LEVEL, 900, ("r718pe",)),
    Model("netvox-r718x", "Netvox", "R718X", (*_LEVEL, "temperature"), 900, ("r718x",)),
    Model("netvox-r718y", "Netvox", "R718Y", ("differential_pressure", "temperature", *BATTERY), 900, ("r718y",)),
)

_DISTANCE: Final = (*flags("presence"), Value(5, 2, "distance", 1000))
_FORMS: Final = by_kind(
    {
        0x34: (*_DISTANCE, Value(7, 2, "temperature", 10, signed=True)),
        0xAC: (
            Value(4, 2, "differential_pressure", 10, signed=True),
            Value(6, 2, "temperature", 10, signed=True),
        ),
        0xB1: _DISTANCE,
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
