"""Netvox R718B, R718B2, R718CE to R718CT and their doubles: temperature probes, one or two.

Source and frame: `_netvox.py`. Values, from byte 4:
  90 (R718CJ), 91 (R718CK), 92 (R718CT), 93 (R718CR), 94 (R718CE), 95 (R718B)  temperature int16 0.1 degC
  14 (R718B2), 16 (R718CK2), 17 (R718CT2), 18 (R718CN2)                        two of them: channels 0 and 1
Thermocouples measure beyond what the vocabulary's range of air calls plausible: such values are kept as measured.
"""

from typing import Final

from decoders.native._netvox import BATTERY, Value, by_kind, decode_report
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("temperature", *BATTERY)
_ONE: Final = {"b": 0x95, "ce": 0x94, "cj": 0x90, "ck": 0x91, "cr": 0x93, "ct": 0x92}
_TWO: Final = {"b2": 0x14, "ck2": 0x16, "cn2": 0x18, "ct2": 0x17}

MODELS: Final = tuple(
    Model(f"netvox-r718{name}", "Netvox", f"R718{name.upper()}", _QUANTITIES, 900, (f"r718{name}",))
    for name in sorted((*_ONE, *_TWO))
)

_FIRST: Final = Value(4, 2, "temperature", 10, signed=True)
_FORMS: Final = by_kind(
    {
        **dict.fromkeys(_ONE.values(), (_FIRST,)),
        **dict.fromkeys(_TWO.values(), (_FIRST, _FIRST._replace(at=6, channel=1))),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
