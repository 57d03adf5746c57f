"""Netvox R718N1: current of one phase.

Source: Netvox, R718N1 user manual, section 5 "Example of ReportDataCmd". Frame: `_netvox.py`.
Values, kind 49:  CC CC MM and four of nothing
  C  current  uint16 1 mA, times M
"""

from typing import Final

from decoders.native._netvox import BATTERY, report
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

_DEVICES: Final = frozenset((0x49,))


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    values, readings = report(payload, f_port, _DEVICES)
    if not values:
        return readings
    return [Reading("current", int.from_bytes(values[:2]) * values[2] / 1000), *readings]
