"""Enless TX 4/20 mA: 600-035.

Source and frame: `_enless.py`. Values: kind 0D, current, uint16 1 uA.
"""

from struct import Struct
from typing import Final

from decoders.native._enless import STATES, Kind, Value, decode_tx
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="enless-600-035",
    vendor="Enless",
    name="TX 4/20 mA 600-035",
    quantities=("analog_current", *STATES),
    period_s=None,
    hints=("600 035",),
)

_KINDS: Final = {0x0D: Kind(Struct(">H"), (Value("analog_current", 1000),))}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings, _ = decode_tx(payload, _KINDS)
    return readings
