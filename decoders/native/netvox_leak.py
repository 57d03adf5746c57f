"""Netvox R311W, R718WA, R718WB, R718WB2: water leak.

Source: Netvox, R718WB2 user manual, section 5.1, and R718WB, section 5; the vendor's codec in
github.com/TheThingsNetwork/lorawan-devices, vendor/netvox, for the other kinds of device. Frame: `_netvox.py`.
Values:  LL MM and five of nothing; 1 when there is water
  kinds 06 (R311W), 47 (R718WB2)   two detectors: channels 0 and 1
  kinds 12 (R718WB), 32 (R718WA)   the first one alone
"""

from typing import Final

from decoders.native._netvox import BATTERY, report
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("water_leak", *BATTERY)

MODELS: Final = (
    Model("netvox-r311w", "Netvox", "R311W", _QUANTITIES, 3600, ("r311w",)),
    Model("netvox-r718wa", "Netvox", "R718WA", _QUANTITIES, 3600, ("r718wa",)),
    Model("netvox-r718wb", "Netvox", "R718WB", _QUANTITIES, 3600, ("r718wb",)),
    Model("netvox-r718wb2", "Netvox", "R718WB2", _QUANTITIES, 3600, ("r718wb2",)),
)

_DETECTORS: Final = {0x06: 2, 0x47: 2, 0x12: 1, 0x32: 1}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    values, readings = report(payload, f_port, _DETECTORS)
    if not values:
        return readings
    leaks = [Reading("water_leak", int(values[at] != 0), at) for at in range(_DETECTORS[payload[1]])]
    return [*leaks, *readings]
