"""A map without tiles: points of a territory in an SVG, north up, equal distances both ways. Pure."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH: Final = 1000
_MARGIN: Final = 30
_LEAST_DEGREES: Final = 0.02  # a single village is not stretched over the whole map


class Place(NamedTuple):
    """Something to show: WGS 84 degrees, `kind` is good, watch, bad, none or antenna, `size` its radius."""

    latitude_deg: float
    longitude_deg: float
    kind: str
    size: float
    words: str


class Mark(NamedTuple):
    """The same on the drawing."""

    x: float
    y: float
    kind: str
    size: float
    words: str


class Drawing(NamedTuple):
    """A drawing `width` by `height`."""

    width: int
    height: int
    marks: list[Mark]


def drawing(places: Sequence[Place]) -> Drawing | None:
    """Return the places on a drawing that just holds them; None when there is nowhere to show."""
    if not places:
        return None
    north, south = max(one.latitude_deg for one in places), min(one.latitude_deg for one in places)
    east, west = max(one.longitude_deg for one in places), min(one.longitude_deg for one in places)
    narrow = math.cos(math.radians((north + south) / 2))
    across = max((east - west) * narrow, _LEAST_DEGREES)
    along = max(north - south, _LEAST_DEGREES)
    scale = (WIDTH - 2 * _MARGIN) / max(across, along)
    left, top = (west + east) / 2 * narrow - across / 2, (north + south) / 2 + along / 2
    marks = [
        Mark(
            round(_MARGIN + (one.longitude_deg * narrow - left) * scale, 1),
            round(_MARGIN + (top - one.latitude_deg) * scale, 1),
            one.kind,
            one.size,
            one.words,
        )
        for one in places
    ]
    return Drawing(round(across * scale + 2 * _MARGIN), round(along * scale + 2 * _MARGIN), marks)
