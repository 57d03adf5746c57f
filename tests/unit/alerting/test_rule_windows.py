"""Sums and extremes of windows: what joins and leaves makes no difference to what is left."""

import math
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from alerting.rules._windows import ExactSum, Extreme

values = st.floats(-1e12, 1e12)


@given(st.lists(st.tuples(values, st.integers(0, 3)), min_size=1, max_size=60))
def test_a_window_is_what_is_in_it(arrivals: list[tuple[float, int]]) -> None:
    total, greatest, least = ExactSum(), Extreme(1.0), Extreme(-1.0)
    window: deque[tuple[float, float]] = deque()
    for place, (value, leaving) in enumerate(arrivals):
        window.append((float(place), value))
        total.add(value)
        for extreme in (greatest, least):
            extreme.join(float(place), value)
        for _ in range(min(leaving, len(window) - 1)):
            at_s, gone = window.popleft()
            total.add(-gone)
            for extreme in (greatest, least):
                extreme.leave(at_s)
        left = [value for _, value in window]
        assert total.value() == math.fsum(left)
        assert (greatest.value(), least.value()) == (max(left), min(left))
