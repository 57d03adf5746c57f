"""Decentlab DL-LID: laser distance.

Source: Decentlab, DL-LID user guide, "LoRaWAN payload". Frame: `_decentlab.py`.
Groups of words:
  0  11: mean distance 1 mm, then other statistics of it (not kept)
  1  battery 0.001 V
"""

from typing import Final

from decoders.native._decentlab import BATTERY, Group, Value, decode_decentlab, linear
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="decentlab-dl-lid",
    vendor="Decentlab",
    name="DL-LID",
    quantities=("distance", "battery_voltage"),
    period_s=600,
    hints=("dl lid",),
)

_GROUPS: Final = (
    Group(11, (Value("distance", linear(0, 0, 0.001)),)),
    BATTERY,
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_decentlab(payload, _GROUPS)
