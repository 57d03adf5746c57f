"""What is known of a window of samples without looking at all of them again: its sum, its least, its greatest.

Each is the same however the window came to be: what is kept between two steps is the samples alone.
"""

import math
from collections import deque


class ExactSum:
    """A sum that terms join and leave, rounded once, as `math.fsum` of those that are in it.

    Source: J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997:
    the exact sum as a few parts that do not overlap.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[float] = []

    def add(self, term: float) -> None:
        """Let a term join; the negative of one that is in it lets that one leave."""
        parts, kept = self._parts, 0
        for part in parts:
            larger, smaller = (term, part) if abs(term) >= abs(part) else (part, term)
            term = larger + smaller
            rest = smaller - (term - larger)
            if rest:
                parts[kept] = rest
                kept += 1
        parts[kept:] = [term]

    def value(self) -> float:
        """Return the sum."""
        return math.fsum(self._parts)


class Extreme:
    """The greatest of the samples of a window, or with `sign` -1 the least."""

    __slots__ = ("_candidates", "_sign")

    def __init__(self, sign: float) -> None:
        self._sign = sign
        self._candidates: deque[tuple[float, float]] = deque()  # ever lower: who may be the greatest once others left

    def join(self, at_s: float, value: float) -> None:
        """Take the newest sample."""
        candidates, signed = self._candidates, value * self._sign
        while candidates and candidates[-1][1] <= signed:
            candidates.pop()
        candidates.append((at_s, signed))

    def leave(self, at_s: float) -> None:
        """Take note that the sample of that moment is in the window no longer."""
        if self._candidates[0][0] <= at_s:
            self._candidates.popleft()

    def value(self) -> float:
        """Return the extreme; the window is not empty."""
        return self._candidates[0][1] * self._sign
