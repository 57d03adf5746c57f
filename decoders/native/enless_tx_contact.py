"""Enless TX CONTACT: 600-039.

Source and frame: `_enless.py`. Values: kind 0B, three counters uint32: contacts 1 and 2 (channels 0 and 1) and
open collector (channel 2). State: bits 4, 5, 6 of the low byte, the same three, 1 closed.
"""

from struct import Struct
from typing import Final

from decoders.native._enless import STATES, Kind, Value, decode_tx
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="enless-600-039",
    vendor="Enless",
    name="TX CONTACT 600-039",
    quantities=("pulse_count", "open", *STATES),
    period_s=None,
    hints=("600 039", "enless contact"),
)

_CHANNELS: Final = range(3)
_KINDS: Final = {0x0B: Kind(Struct(">III"), tuple(Value("pulse_count", channel=channel) for channel in _CHANNELS))}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings, state = decode_tx(payload, _KINDS)
    return readings + [Reading("open", 1 - (state >> 4 + channel & 1), channel) for channel in _CHANNELS]
