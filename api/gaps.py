"""Where a series has a hole that should be seen as one. Pure."""

import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

# Radio loses a frame now and then, and an hour may hold two frames or none of an hourly sensor: that is no hole.
LOOSE: Final = 2.5
# Buckets that usually hold several samples each: an empty one is a hole.
STRICT: Final = 1.5
_FEW: Final = 3


class Gap(NamedTuple):
    """Nothing was measured between the two."""

    start: datetime
    end: datetime


def gaps(times: Sequence[datetime], start: datetime, end: datetime, tolerance: float) -> list[Gap]:
    """Return the holes between `start` and `end`, oldest first.

    `times`, in order, are when something was measured. A hole is longer than `tolerance` times the usual
    step, which is the median; fewer than 3 times have no usual step, and no hole between them.
    """
    if len(times) < _FEW:
        return []
    usual_s = statistics.median((after - before).total_seconds() for before, after in pairwise(times))
    longest = timedelta(seconds=max(usual_s * tolerance, 1.0))
    return [Gap(before, after) for before, after in pairwise([start, *times, end]) if after - before > longest]
