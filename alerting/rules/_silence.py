"""What has not been heard for longer than it should be."""

import bisect
from collections import deque
from typing import Final

from alerting.rules._base import BAD, GOOD, Detector, Figures, Memory

LEARNT_FROM: Final = 30  # intervals
ENOUGH: Final = 5  # intervals, before a habit is believed


class SilenceDetector(Detector):
    """Wakes when the limit after the last time is over.

    The limit is `first_limit_s`; with `missed`, so many times the median of the last intervals as soon as there are
    enough, and more where the sensor has been used to longer pauses (all but its longest, which may have been a
    breakdown).
    """

    __slots__ = ("_at_least_s", "_first_limit_s", "_intervals", "_last_s", "_limit_s", "_missed", "_ordered")

    def __init__(self, memory: Memory | None, *, first_limit_s: float, missed: float | None, at_least_s: float) -> None:
        super().__init__()
        self._first_limit_s, self._missed, self._at_least_s = first_limit_s, missed, at_least_s
        self._last_s: float | None = memory[0] if memory else None
        self._intervals: deque[float] = deque(memory[1] if memory else (), maxlen=LEARNT_FROM)
        self._ordered = sorted(self._intervals)
        self._limit_s = self._limit()
        if memory and memory[2] is not None:
            self.deadline_s = memory[2]

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Note that it was heard."""
        del series, value
        if self._last_s is not None and self._missed is not None:
            self._learn(at_s - self._last_s)
            self._limit_s = self._limit()
        self._last_s = at_s
        self.deadline_s = at_s + self._limit_s
        return GOOD

    def _learn(self, interval_s: float) -> None:
        intervals, ordered = self._intervals, self._ordered
        if len(intervals) == LEARNT_FROM:
            del ordered[bisect.bisect_left(ordered, intervals[0])]
        intervals.append(interval_s)
        bisect.insort(ordered, interval_s)

    def _limit(self) -> float:
        ordered = self._ordered
        if self._missed is None or len(ordered) < ENOUGH:
            return self._first_limit_s
        middle = len(ordered) // 2
        usual_s = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
        return max(usual_s * self._missed, ordered[-2] * 1.5, self._at_least_s)

    def awake(self, at_s: float) -> int:
        """Say that it was not heard in time."""
        del at_s
        self.deadline_s = float("inf")
        return BAD

    def figures(self) -> Figures:
        """Return when it was heard last, and for how long it may be silent."""
        return {"code": "silence", "value": None, "last_s": self._last_s, "limit_s": self._limit_s}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        deadline_s = self.deadline_s if self.deadline_s != float("inf") else None
        return [self._last_s, list(self._intervals), deadline_s]
