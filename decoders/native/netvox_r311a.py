"""Netvox R311A: door or window.

Source: Netvox, R313A user manual, section 5 (1 open, 0 closed: the same sensor); the vendor's codec in
github.com/TheThingsNetwork/lorawan-devices, vendor/netvox, for the kind of device. Frame: `_netvox.py`.
Values, kind 02:  SS and six of nothing
  S  1 open
"""

from typing import Final

from decoders.native._netvox import BATTERY, report
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="netvox-r311a",
    vendor="Netvox",
    name="R311A",
    quantities=("open", *BATTERY),
    period_s=3600,
    hints=("r311a",),
)

_DEVICES: Final = frozenset((0x02,))


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    values, readings = report(payload, f_port, _DEVICES)
    return [Reading("open", int(values[0] != 0)), *readings] if values else readings
