"""Netvox R718N3 and R718NL3: current of three phases.

Source: Netvox, R718N3(E) and R718NL3 series user manuals, section 5.1. Frame: `_netvox.py`. Values, kinds 4A (R718N3)
and 99 (R718NL3), from byte 4, currents uint16 1 mA:
  report 1  currents of three phases, the multiplier of the first
  report 2  the multipliers of the second and third; light uint32 1 lx (R718NL3)
  report 3  currents of three phases, all multipliers: two bits each, the first lowest: 1, 5, 10 or 100 (R718N3 from
            2022)
Phases are channels 0 to 2. The multipliers of the second and third come after their currents, in a frame of its own:
`multiplier`, which is 1 unless more than 65 A are measured, is a constant of the device. Without it, they are left out
of report 1.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from decoders.native._netvox import BATTERY, Forms, battery_readings, is_report
from decoders.registry import Model
from domain.readings import Reading

CONSTANTS: Final = ("multiplier",)
_QUANTITIES: Final = ("current", *BATTERY)

MODELS: Final = (
    Model("netvox-r718n3", "Netvox", "R718N3", _QUANTITIES, 3600, ("r718n3", "r718n37", "r718n325", "r718n363")),
    Model("netvox-r718nl3", "Netvox", "R718NL3", ("illuminance", *_QUANTITIES), 3600, ("r718nl3", "r718nl37")),
)

_CURRENTS, _WITH_LIGHT = 0x4A, 0x99
_FORMS: Final[Forms] = dict.fromkeys(
    ((_CURRENTS, 1), (_CURRENTS, 2), (_CURRENTS, 3), (_WITH_LIGHT, 1), (_WITH_LIGHT, 2)), ()
)
_MULTIPLIERS: Final = (1, 5, 10, 100)


def decode(payload: bytes, f_port: int, constants: Mapping[str, float] = {}) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if not is_report(payload, f_port, _FORMS):
        return []
    kind, report = payload[1], payload[2]
    battery = battery_readings(payload)
    if report == 2:
        light = (Reading("illuminance", int.from_bytes(payload[6:10])),) if kind == _WITH_LIGHT else ()
        return [*light, *battery]
    currents = [
        Reading("current", int.from_bytes(payload[4 + 2 * phase : 6 + 2 * phase]) * multiplier / 1000, phase)
        for phase, multiplier in enumerate(_multipliers(payload, constants.get("multiplier")))
    ]
    return [*currents, *battery]


def _multipliers(payload: bytes, known: float | None) -> Sequence[float]:
    """Return the multiplier of each phase whose is known, in order."""
    if payload[2] == 3:
        return [_MULTIPLIERS[payload[10] >> 2 * phase & 3] for phase in range(3)]
    return (payload[10],) if known is None else (payload[10], known, known)
