"""Enless TX PULSE, PULSE ATEX, PULSE LED: 600-036, 600-037, 600-038.

Source and frame: `_enless.py`. Values: kinds 08, 09, 0A, three counters uint32: inputs 1 and 2 (channels 0 and 1)
and open collector (channel 2). What a pulse is worth is a parameter of the device.
"""

from struct import Struct
from typing import Final

from decoders.native._enless import STATES, Kind, Value, decode_tx
from decoders.registry import Model
from domain.readings import Reading

_QUANTITIES: Final = ("pulse_count", *STATES)

MODELS: Final = (
    Model("enless-600-036", "Enless", "TX PULSE 600-036", _QUANTITIES, None, ("600 036", "enless pulse")),
    Model("enless-600-037", "Enless", "TX PULSE ATEX 600-037", _QUANTITIES, None, ("600 037", "enless pulse atex")),
    Model("enless-600-038", "Enless", "TX PULSE LED 600-038", _QUANTITIES, None, ("600 038", "enless pulse led")),
)

_PULSES: Final = Kind(Struct(">III"), tuple(Value("pulse_count", channel=channel) for channel in range(3)))
_KINDS: Final = {0x08: _PULSES, 0x09: _PULSES, 0x0A: _PULSES}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings, _ = decode_tx(payload, _KINDS)
    return readings
