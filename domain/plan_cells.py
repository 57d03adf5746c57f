"""The cells of a coverage plan as they are drawn: neighbours in a row that are heard alike are one run. Pure.

Source: the GeoJSON that `samara simulate plan` writes: square cells, properties `indoor_sf12` (share of what is sent
from indoors at SF12 that is heard, 0 to 1) and `redundancy` (antennas that hear it).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

GOOD, WATCH, BAD = "good", "watch", "bad"
KINDS: Final = (GOOD, WATCH, BAD)
_HEARD: Final = 0.9
_HARDLY: Final = 0.5
_SEVERAL: Final = 2.0
_DIGITS: Final = 5  # of degrees: a metre


class Run(NamedTuple):
    """Neighbouring cells of one row, WGS 84 degrees."""

    south: float
    north: float
    west: float
    east: float


def kind_of(indoor: float, redundancy: float) -> str:
    """Return how a cell is heard: by two antennas or more from indoors, by one, or hardly."""
    if indoor < _HARDLY:
        return BAD
    return GOOD if indoor >= _HEARD and redundancy >= _SEVERAL else WATCH


def runs(features: Iterable[Mapping[str, Any]]) -> dict[str, list[Run]]:
    """Return the runs of each kind. Raises KeyError, TypeError or ValueError for what is no cell of a plan."""
    found: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    cells = sorted((_box(one["geometry"]["coordinates"][0]), _kind(one["properties"])) for one in features)
    last: dict[str, Run] = {}
    for box, kind in cells:
        before = last.get(kind)
        if before is not None and before[:2] == box[:2] and before.east == box.west:
            last[kind] = before._replace(east=box.east)
            found[kind][-1] = last[kind]
        else:
            last[kind] = box
            found[kind].append(box)
    return found


def _kind(said: Mapping[str, Any]) -> str:
    return kind_of(float(said["indoor_sf12"]), float(said["redundancy"]))


def _box(ring: Sequence[Sequence[float]]) -> Run:
    longitudes = [round(float(corner[0]), _DIGITS) for corner in ring]
    latitudes = [round(float(corner[1]), _DIGITS) for corner in ring]
    return Run(min(latitudes), max(latitudes), min(longitudes), max(longitudes))
