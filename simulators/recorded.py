"""A process that depends on its own past, computed once from a fixed beginning: the same at each call."""

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
