"""Netvox R718IA, R718IB, R718KA, R718KA2, R718J, R718J2: inputs, analogue or of dry contacts.

Source and frame: `_netvox.py`. Values, from byte 4:
  20 (R718IA, 0 to 5 V), 2A (R718IB, 0 to 10 V)  voltage uint16 0.001 V
  22 (R718KA, 4 to 20 mA)                        current uint8 1 mA, not kept; the same uint8 0.1 mA
  44 (R718KA2)                                   two of them: 1 mA, 1 mA, 0.1 mA, 0.1 mA: channels 0 and 1
  21 (R718J), 43 (R718J2)                        1 closed; the second, channel 1
"""

from typing import Final

from decoders.native._netvox import BATTERY, Value, by_kind, decode_report, flags
from decoders.registry import Model
from domain.readings import Reading

_VOLTAGE: Final = ("analog_voltage", *BATTERY)
_CURRENT: Final = ("analog_current", *BATTERY)
_CONTACT: Final = ("digital_input", *BATTERY)

MODELS: Final = (
    Model("netvox-r718ia", "Netvox", "R718IA", _VOLTAGE, 3600, ("r718ia",)),
    Model("netvox-r718ib", "Netvox", "R718IB", _VOLTAGE, 3600, ("r718ib",)),
    Model("netvox-r718j", "Netvox", "R718J", _CONTACT, 3600, ("r718j",)),
    Model("netvox-r718j2", "Netvox", "R718J2", _CONTACT, 3600, ("r718j2",)),
    Model("netvox-r718ka", "Netvox", "R718KA", _CURRENT, 3600, ("r718ka",)),
    Model("netvox-r718ka2", "Netvox", "R718KA2", _CURRENT, 3600, ("r718ka2",)),
)

_FORMS: Final = by_kind(
    {
        **dict.fromkeys((0x20, 0x2A), (Value(4, 2, "analog_voltage", 1000),)),
        0x21: flags("digital_input"),
        0x22: (Value(5, 1, "analog_current", 10),),
        0x43: flags("digital_input", 2),
        0x44: (Value(6, 1, "analog_current", 10), Value(7, 1, "analog_current", 10, channel=1)),
    }
)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_report(payload, f_port, _FORMS)
