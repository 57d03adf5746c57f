"""Decentlab frames: which groups of values a frame carries stands in its flags.

Source: Decentlab, "LoRaWAN payload" pages of the products' user guides (docs.decentlab.com);
github.com/decentlab/decentlab-decoders (November 2025), one table a product, with its examples.
Byte map, big-endian, any port:  02 II II FF FF ww ww ..
  02  version of the protocol
  I   number of the device  uint16
  F   flags                 bit 0 the first group of the product, bit 1 the second ..
  w   words                 uint16, those of each group whose flag is set, in order
"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from domain.errors import DecodeError
from domain.readings import Reading

Words = tuple[int, ...]


class Value(NamedTuple):
    """One value of a group: its quantity, and how it comes from the words of the group."""

    quantity: str
    convert: Callable[[Words], float]
    channel: int = 0


class Group(NamedTuple):
    """A group of values: how many words it takes, and the values that are kept."""

    words: int
    values: tuple[Value, ...]


def linear(place: int, offset: float, factor: float) -> Callable[[Words], float]:
    """Return what makes (word - offset) x factor; a factor of 1/n divides, so that decimals stay exact."""
    divisor = round(1 / factor) if factor < 1 else 1
    if divisor > 1 and abs(divisor * factor - 1) < 1e-12:
        return lambda words: (words[place] - offset) / divisor
    return lambda words: (words[place] - offset) * factor


BATTERY: Final = Group(1, (Value("battery_voltage", linear(0, 0, 0.001)),))
# Temperature and humidity of Sensirion SHT3x and of SHT2x; pressure in 2 Pa.
AIR_3X: Final = Group(
    2,
    (
        Value("temperature", lambda words: 175 * words[0] / 65535 - 45),
        Value("humidity", lambda words: 100 * words[1] / 65535),
    ),
)
AIR_2X: Final = Group(
    2,
    (
        Value("temperature", lambda words: 175.72 * words[0] / 65536 - 46.85),
        Value("humidity", lambda words: 125 * words[1] / 65536 - 6),
    ),
)

_HEAD: Final = struct.Struct(">BHH")
_VERSION: Final = 2


def decode_decentlab(payload: bytes, groups: tuple[Group, ...]) -> list[Reading]:
    """Return the readings of a frame of a product that has these groups; raise DecodeError."""
    if len(payload) < _HEAD.size or payload[0] != _VERSION:
        raise DecodeError(f"not a Decentlab frame of version 2: {len(payload)} bytes")
    flags = _HEAD.unpack_from(payload)[2]
    chosen = [group for place, group in enumerate(groups) if flags >> place & 1]
    size = _HEAD.size + 2 * sum(group.words for group in chosen)
    if flags >> len(groups) or len(payload) != size:
        raise DecodeError(f"flags {flags:#06x}: {len(payload)} bytes, {size} expected")
    readings: list[Reading] = []
    at = _HEAD.size
    for group in chosen:
        words = struct.unpack_from(f">{group.words}H", payload, at)
        readings += [Reading(value.quantity, value.convert(words), value.channel) for value in group.values]
        at += 2 * group.words
    return readings
