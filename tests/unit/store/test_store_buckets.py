"""Pieces tell what their samples would, however the samples were put together."""

import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.quantities import Kind
from store.reading.buckets import Run, counter_buckets, gauge_buckets, state_buckets
from store.reading.pieces import Piece, increase, sample, tells_all

START = datetime(2025, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
EDGES = [START + 6 * HOUR * number for number in range(5)]
BUCKETS = {"gauge": gauge_buckets, "counter": counter_buckets, "state": state_buckets}

VALUES: dict[Kind, st.SearchStrategy[float]] = {
    "gauge": st.integers(-50, 50).map(float),
    "counter": st.one_of(st.integers(0, 30), st.integers(65_400, 65_600), st.integers(900, 1100)).map(float),
    "state": st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0]),
}


def rolled_up(samples: Sequence[tuple[datetime, float]]) -> Piece:
    values = [value for _, value in samples]
    return Piece(
        len(values), sum(values), min(values), max(values), values[0], samples[0][0], values[-1], samples[-1][0]
    )


def by_hour(samples: Sequence[tuple[datetime, float]], kind: Kind) -> list[Piece]:
    """Roll up each hour that a roll-up can tell."""
    found = []
    for number in range(24):
        held = [one for one in samples if START + number * HOUR <= one[0] < START + (number + 1) * HOUR]
        if held and tells_all(rolled_up(held), kind):
            found.append(rolled_up(held))
        else:
            found += [sample(*one) for one in held]
    return found


def alike(some: Sequence[Sequence[object]], others: Sequence[Sequence[object]]) -> bool:
    def same(one: object, other: object) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
        return one == other

    return len(some) == len(others) and all(
        same(one, other)
        for row, against in zip(some, others, strict=True)
        for one, other in zip(row, against, strict=True)
    )


@given(st.data(), st.sampled_from(["gauge", "counter", "state"]))
def test_rolled_up_hours_tell_what_their_samples_would(data: st.DataObject, kind: Kind) -> None:
    seconds = data.draw(st.lists(st.integers(0, 24 * 3600 - 1), max_size=60, unique=True))
    samples = [(START + timedelta(seconds=at), data.draw(VALUES[kind])) for at in sorted(seconds)]
    opening = data.draw(st.none() | VALUES[kind].map(lambda value: sample(START - HOUR, value)))
    one_by_one = Run(opening, [sample(*one) for one in samples], EDGES[-1])
    in_hours = Run(opening, by_hour(samples, kind), EDGES[-1])
    assert alike(BUCKETS[kind](EDGES, [one_by_one]), BUCKETS[kind](EDGES, [in_hours]))


@given(st.lists(VALUES["counter"], min_size=2, max_size=40), st.integers(1, 23))
def test_what_a_counter_grew_does_not_depend_on_the_buckets(values: list[float], cut: int) -> None:
    run = Run(None, [sample(START + timedelta(minutes=30 * at), value) for at, value in enumerate(values)], EDGES[-1])
    whole = counter_buckets([START, EDGES[-1]], [run])
    parts = counter_buckets([START, START + cut * HOUR, EDGES[-1]], [run])
    assert sum(part.increase or 0 for part in parts) == pytest.approx(whole[0].increase)


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [
        (10, 12.5, 2.5),
        (10, 10, 0),
        (0, 0, 0),
        (1200, 3, 3),  # began again
        (5, 0, 0),
        (65_530, 10, 16),  # 16 bits
        (65_535, 0, 1),
        (2**24 - 1, 1, 2),
        (2**32 - 2, 3, 5),
        (60_000, 10, 10),  # too far from the end of 16 bits: began again
        (1000, 999, -1),  # flowed back
        (70_000, 10, 10),
    ],
)
def test_what_a_counter_grew_between_two_samples(before: float, after: float, grown: float) -> None:
    assert increase(before, after) == grown


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=20))
def test_a_counter_never_grows_by_more_than_its_last_index_or_the_step_across_its_end(values: list[float]) -> None:
    for before, after in itertools.pairwise(values):
        assert increase(before, after) <= max(after, 2**32 / 64)
        assert increase(before, after) >= -before / 10 - 1e-3


def test_nothing_is_counted_across_a_replacement() -> None:
    first = Run(None, [sample(START, 100.0), sample(START + HOUR, 110.0)], START + 2 * HOUR)
    second = Run(None, [sample(START + 2 * HOUR, 5.0), sample(START + 3 * HOUR, 6.0)], EDGES[-1])
    assert [bucket.increase for bucket in counter_buckets(EDGES, [first, second])] == [11.0, None, None, None]


def test_a_state_holds_until_its_device_leaves() -> None:
    first = Run(sample(START - HOUR, 1.0), [sample(START + HOUR, 1.0)], START + 2 * HOUR)
    second = Run(None, [sample(START + 4 * HOUR, 0.0)], START + 5 * HOUR)
    assert state_buckets(EDGES[:2], [first, second])[0][2:] == (2, 0.0, 2 / 3)


def test_the_opening_counts_for_growth_and_state_but_is_no_sample() -> None:
    run = Run(sample(START - HOUR, 1.0), [sample(START + 3 * HOUR, 2.0)], EDGES[-1])
    assert counter_buckets(EDGES[:2], [run])[0][2:] == (1, 1.0, 2.0)
    assert state_buckets(EDGES[:2], [run])[0][2:] == (1, 2.0, 0.5)
