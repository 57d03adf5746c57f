"""How communes compare over the same twelve months: what may be said, and what not. Pure.

A meter that missed a few days is completed by its own line of use by degree days, so that all are told in the same
weather; one that missed more than a tenth of them makes its building, or its commune's water, incomparable.
"""

from collections.abc import Hashable, Sequence
from statistics import median
from typing import Final, NamedTuple, TypeVar

ENOUGH: Final = 0.9  # of the days
ALIKE: Final = 0.05  # a smaller relative difference is none
LEAST: Final = 3  # of two, one is always last
_HALF: Final = 0.5  # of the floor that is known

Key = TypeVar("Key", bound=Hashable)


class Year(NamedTuple):
    """What one meter counted: on how many days, how much; its line (see `energy.line`), and the weather it had, K.d."""

    days: int
    used: float
    level: float | None
    slope: float | None
    degree_days: float | None


def whole(year: Year, days: int, degree_days: float | None) -> float | None:
    """Return what it would have counted on all `days`, of so many degree days; None if it missed one in ten."""
    if year.days < ENOUGH * days:
        return None
    missing = days - year.days
    if missing <= 0:
        return year.used
    if degree_days is None or year.degree_days is None or year.level is None or not year.slope or year.slope < 0:
        return year.used * days / year.days
    return year.used + max(0.0, year.level * missing + year.slope * (degree_days - year.degree_days))


class Figure(NamedTuple):
    """What is told of one commune: `value` is None where `why` says that it cannot be told.

    `counted` of `known` buildings or meters are in it.
    """

    value: float | None
    why: str  # "", "nothing", "floor", "short", "inhabitants"
    counted: int
    known: int


class Building(NamedTuple):
    """A building: its floor, m2, None where nobody said; what each meter used in the year, None: too short."""

    floor_area_m2: float | None
    used: Sequence[float | None]


def per_m2(buildings: Sequence[Building]) -> Figure:
    """Return what buildings use a m2: those whose every meter counted the whole year, at least half of the floor."""
    if not buildings:
        return Figure(None, "nothing", 0, 0)
    known = [one for one in buildings if one.floor_area_m2 is not None]
    complete = [(one.floor_area_m2 or 0.0, one.used) for one in known if None not in one.used]
    if not known:
        return Figure(None, "floor", 0, len(buildings))
    floor = sum(area for area, _ in complete)
    if floor < _HALF * sum(one.floor_area_m2 or 0.0 for one in known):
        return Figure(None, "short", len(complete), len(buildings))
    return Figure(sum(used or 0.0 for _, each in complete for used in each) / floor, "", len(complete), len(buildings))


def per_inhabitant(used: Sequence[float | None], inhabitants: int | None) -> Figure:
    """Return what all meters used an inhabitant; of one that is too short, the sum would say too little."""
    complete = [one for one in used if one is not None]
    if not used:
        return Figure(None, "nothing", 0, 0)
    if len(complete) < len(used):
        return Figure(None, "short", len(complete), len(used))
    if inhabitants is None:
        return Figure(None, "inhabitants", len(complete), len(used))
    return Figure(sum(complete) / inhabitants, "", len(complete), len(used))


def ranks(values: Sequence[tuple[Key, float]]) -> dict[Key, int]:
    """Return the rank of each, 1 for the least; who is within 5 % of the first of a rank shares it. {} of two."""
    if len(values) < LEAST:
        return {}
    found: dict[Key, int] = {}
    rank, leader = 1, None
    for place, (key, value) in enumerate(sorted(values, key=lambda one: one[1]), start=1):
        if leader is None or value > leader * (1 + ALIKE):
            rank, leader = place, value
        found[key] = rank
    return found


def middle(values: Sequence[float]) -> float | None:
    """Return the median of three and more."""
    return median(values) if len(values) >= LEAST else None
