"""A map without tiles: points of a territory in an SVG, north up, equal distances both ways. Pure."""

import html
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from markupsafe import Markup

from domain.plan_cells import Run

WIDTH: Final = 1000
ANTENNA: Final = "antenna"
_MARGIN: Final = 30
_AROUND: Final = 0.1  # degrees: cells further off are not drawn
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
    """A drawing `width` by `height`; `areas` are paths by kind, below the marks."""

    width: int
    height: int
    marks: list[Mark]
    areas: dict[str, str]

    @property
    def circles(self) -> Markup:
        """The marks that are no antennas. There are a thousand: a template would take ten times as long."""
        return Markup(  # noqa: S704 - the words are escaped, the rest is ours
            "".join(
                f'<circle class="one {one.kind}" cx="{one.x}" cy="{one.y}" r="{one.size}">'
                f"<title>{html.escape(one.words)}</title></circle>"
                for one in self.marks
                if one.kind != ANTENNA
            )
        )

    @property
    def antennas(self) -> Markup:
        """The marks of antennas."""
        return Markup(  # noqa: S704 - the same
            "".join(
                f'<path class="antenna" d="M{one.x} {one.y - one.size:.1f}l{one.size} {2 * one.size}h-{2 * one.size}z">'
                f"<title>{html.escape(one.words)}</title></path>"
                for one in self.marks
                if one.kind == ANTENNA
            )
        )


def drawing(places: Sequence[Place], runs: Mapping[str, Sequence[Run]] = MappingProxyType({})) -> Drawing | None:
    """Return the places on a drawing that just holds them, over the cells of a plan; None with nowhere to show."""
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
    areas = {
        kind: "".join(
            f"M{_MARGIN + (one.west * narrow - left) * scale:.1f} {_MARGIN + (top - one.north) * scale:.1f}"
            f"h{(one.east - one.west) * narrow * scale:.1f}v{(one.north - one.south) * scale:.1f}"
            f"h{(one.west - one.east) * narrow * scale:.1f}z"
            for one in found
            if one.east > west - _AROUND and one.west < east + _AROUND
            and one.north > south - _AROUND and one.south < north + _AROUND
        )
        for kind, found in runs.items()
    }  # fmt: skip
    return Drawing(round(across * scale + 2 * _MARGIN), round(along * scale + 2 * _MARGIN), marks, areas)
