"""Netvox R718N1: current of one phase.

Source: Netvox, R718N1 user manual, section 5 "Example of ReportDataCmd". Frame: `_netvox.py`.
Values, kind 49, from byte 4:  CC CC MM
  C  current  uint16 1 mA, times M
"""

from typing import Final

from decoders.native._netvox import BATTERY, Forms, battery_readings, is_report
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="netvox-r718n1",
    vendor="Netvox",
    name="R718N1",
    quantities=("current", *BATTERY),
    period_s=3600,
    hints=("r718n1", "r718n115", "r718n163"),
)

_FORMS: Final[Forms] = {(0x49, 1): ()}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if not is_report(payload, f_port, _FORMS):
        return []
    current = Reading("current", int.from_bytes(payload[4:6]) * payload[6] / 1000)
    return [current, *battery_readings(payload)]
