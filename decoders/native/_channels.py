"""Frames of channels, each with a type that says what data follow: what Milesight's and Tektelic's forms share."""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Part(NamedTuple):
    """A part of a channel's data: its size in bytes, and the quantity it goes to (none: it is not kept).

    A number is divided by `divisor`; with `mask`, the part is a flag, 1 when any bit of the mask is set.
    """

    size: int
    quantity: str = ""
    divisor: float = 1
    channel: int = 0
    signed: bool = False
    mask: int = 0


Parts = tuple[Part, ...]
Channels = Mapping[tuple[int, int], Parts]


def value_of(data: bytes, part: Part, order: Literal["big", "little"]) -> float:
    """Return the value that the bytes of a part say."""
    value = int.from_bytes(data, order, signed=part.signed)
    if part.mask:
        return int(value & part.mask != 0)
    return value if part.divisor == 1 else value / part.divisor
