"""Frames of channels, each with a type that says what data follow: what Milesight's and Tektelic's forms share."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from domain.readings import Reading


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


def number_in(data: bytes, part: Part, order: Literal["big", "little"]) -> int:
    """Return the number that stands in a part, before it is divided; 0 or 1 of a flag."""
    value = int.from_bytes(data, order, signed=part.signed)
    return int(value & part.mask != 0) if part.mask else value


def reading_of(value: int, part: Part) -> Reading:
    """Return the reading that a number of a part is."""
    return Reading(part.quantity, value if part.divisor == 1 else value / part.divisor, part.channel)
