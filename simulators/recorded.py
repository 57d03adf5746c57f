"""Processes that depend on their own past, computed once from a fixed beginning: the same at each call."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

Advance = Callable[[float, datetime], float]  # (value at a step's start, that start in UTC) -> value at its end


class Recorded:
    """Values at equal steps from `origin` on, each made of the one before; straight lines between them.

    What was computed is kept: asking for a later time computes the steps between.
    """

    def __init__(self, origin: datetime, step: timedelta, first: float, advance: Advance) -> None:
        self._origin = origin
        self._step = step
        self._step_s = step.total_seconds()
        self._values = [first]
        self._advance = advance

    def at(self, moment: datetime) -> float:
        """Return the value at a time; the first one before the beginning."""
        position = max(0.0, (moment - self._origin).total_seconds() / self._step_s)
        whole = math.floor(position)
        while len(self._values) < whole + 2:
            start = self._origin + (len(self._values) - 1) * self._step
            self._values.append(self._advance(self._values[-1], start))
        before, after = self._values[whole], self._values[whole + 1]
        return before + (after - before) * (position - whole)


class Forgetful:
    """The same of a process that forgets within `settled` where it began: each `span` begins by itself, so much before.

    So what is asked of the present costs no past, and is what history told.
    """

    def __init__(
        self,
        origin: datetime,
        step: timedelta,
        first: float,
        advance: Advance,
        *,
        span: timedelta = timedelta(days=56),
        settled: timedelta = timedelta(days=14),
    ) -> None:
        self._origin = origin
        self._span = span
        self._settled = settled
        self._made = (step, first, advance)
        self._spans: dict[int, Recorded] = {}

    def at(self, moment: datetime) -> float:
        """Return the value at a time; the first one before the beginning."""
        number = max(0, (moment - self._origin) // self._span)
        if number not in self._spans:
            origin = self._origin + number * self._span - (self._settled if number else timedelta())
            self._spans[number] = Recorded(origin, *self._made)
        return self._spans[number].at(moment)
