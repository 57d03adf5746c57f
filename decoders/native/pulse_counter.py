"""A plain counter of pulses: whatever device puts its index into a frame at a fixed place.

Source: the manual of the device, which the installer has; what it says goes into the device's parameters
(docs/how-to/device-parameters.md):
  counter_port           the port of the frames that carry the index
  counter_at             the byte at which it stands, from 0
  counter_bytes          its size, 1 to 8
  counter_little_endian  1 when its lowest byte comes first, else 0
What a pulse is worth are the parameters of every pulse counter.
"""

from collections.abc import Mapping
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

CONSTANTS: Final = ("counter_port", "counter_at", "counter_bytes", "counter_little_endian")

MODEL: Final = Model("pulse-counter", "generic", "Pulse counter", ("pulse_count",), None, ("plain pulse counter",))

_MOST_BYTES: Final = 8


def decode(payload: bytes, f_port: int, constants: Mapping[str, float] = {}) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if not constants.keys() >= {*CONSTANTS}:
        return []
    port, at, size, little_endian = (int(constants[name]) for name in CONSTANTS)
    if f_port != port:
        return []
    if at < 0 or not 0 < size <= _MOST_BYTES:
        raise DecodeError(f"counter_at {at}, counter_bytes {size}")
    if len(payload) < at + size:
        raise DecodeError(f"{len(payload)} bytes, and no index of {size} bytes at {at}")
    return [Reading("pulse_count", int.from_bytes(payload[at : at + size], "little" if little_endian else "big"))]
