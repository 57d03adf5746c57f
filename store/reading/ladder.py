"""Which ranges are read from days, which from hours, and which sample by sample. Pure.

A range goes down the ladder: what a step cannot tell (its margins, what changed since it was rolled up, what a
counter or a state did not do evenly) is left to the next.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from store.reading.every import Every, floor, following

HOUR: Final = timedelta(hours=1)
TERRITORY: Final = ZoneInfo("Europe/Paris")  # whose days `measurements_daily` holds

SHORT: Final = timedelta(days=2)  # below, samples are as quickly read as roll-ups


class Range(NamedTuple):
    """From `start` until `end`, excluded."""

    start: datetime
    end: datetime


def steps(whole: Range, bounds: Sequence[datetime]) -> list[Every]:
    """Return the steps of the ladder, widest first, by which `whole` can be read when it is cut at `bounds`."""
    if whole.end - whole.start <= SHORT or not _aligned(bounds, HOUR):
        return []
    return ["day", HOUR] if _aligned(bounds, "day") else [HOUR]


def _aligned(bounds: Sequence[datetime], step: Every) -> bool:
    return all(floor(bound, step, TERRITORY) == bound for bound in bounds[1:-1])


def whole_units(ranges: Iterable[Range], step: Every) -> tuple[list[Range], list[Range]]:
    """Return the parts of the ranges that are whole hours or days, and their margins."""
    inside, margins = [], []
    for start, end in ranges:
        first, last = floor(start, step, TERRITORY), floor(end, step, TERRITORY)
        if first < start:
            first = following(first, step, TERRITORY)
        if first < last:
            inside.append(Range(first, last))
            margins += [Range(start, first), Range(last, end)]
        else:
            margins.append(Range(start, end))
    return inside, joined(margins)


def units(starts: Collection[datetime], step: Every) -> list[Range]:
    """Return the hours or days that begin then, joined where they touch."""
    return joined(Range(start, following(start, step, TERRITORY)) for start in starts)


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Return the ranges in order, without the empty ones, as one where one ends as the next begins."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and found[-1].end >= start:
            found[-1] = Range(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Range(start, end))
    return found
