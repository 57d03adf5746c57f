"""The account of one device's day."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.maintenance.radio import MAX_GAP, Heard, RadioAccount, account

A, B = "0000000a", "0000000b"


def told(opening: int | None, counters: list[int]) -> RadioAccount:
    return account(None if opening is None else Heard(A, opening), [Heard(A, counter) for counter in counters])


@pytest.mark.parametrize(
    ("opening", "counters", "expected"),
    [
        (None, [], RadioAccount()),
        (None, [5, 6, 7], RadioAccount(heard=3)),
        (4, [5, 6, 7], RadioAccount(heard=3)),
        (1, [5, 6, 9], RadioAccount(heard=3, lost=3 + 2)),
        (4, [5, 5, 6], RadioAccount(heard=2, repeated=1)),
        (4, [5, 8, 6, 7, 9], RadioAccount(heard=5, lost=0, late=2)),
        (4, [5, 8, 6, 9], RadioAccount(heard=4, lost=1, late=1)),
        (9, [7, 10], RadioAccount(heard=2, late=1)),  # yesterday's gap stays yesterday's
        (900, [0, 1, 2], RadioAccount(heard=3, resets=1)),
        (900, [3, 4], RadioAccount(heard=2, resets=1)),  # the first frames of a session were not heard
        (5, [0, 1, 2], RadioAccount(heard=3, resets=1)),
        (None, [0, 1, 2, 0, 1, 2, 3], RadioAccount(heard=7, resets=1)),
        (65_534, [65_535, 0, 1], RadioAccount(heard=3)),  # 16 bits
        (65_533, [65_535, 2], RadioAccount(heard=2, lost=1 + 2)),
        (65_534, [0, 65_535, 1], RadioAccount(heard=3, late=1)),
        (65_535, [65_536, 65_537], RadioAccount(heard=2)),  # 32 bits
        (60_000, [1, 2], RadioAccount(heard=2, resets=1)),
        (5, [6 + MAX_GAP], RadioAccount(heard=1, lost=MAX_GAP)),
        (5, [7 + MAX_GAP], RadioAccount(heard=1, resets=1)),
    ],
)
def test_what_the_counters_tell(opening: int | None, counters: list[int], expected: RadioAccount) -> None:
    assert told(opening, counters) == expected


def test_a_new_address_is_a_new_session() -> None:
    frames = [Heard(A, 5), Heard(A, 6), Heard(B, 7), Heard(B, 8)]
    assert account(None, frames) == RadioAccount(heard=4, resets=1)
    assert account(Heard(B, 4), frames) == RadioAccount(heard=4, resets=2)


@given(st.lists(st.integers(0, 70_000), max_size=50), st.none() | st.integers(0, 70_000))
def test_each_frame_is_heard_or_repeated(counters: list[int], opening: int | None) -> None:
    found = told(opening, counters)
    assert found.heard + found.repeated == len(counters)
    assert min(found) >= 0


@given(st.integers(0, 100_000), st.integers(0, 2**32))
def test_what_was_left_out_is_lost(first: int, seed: int) -> None:
    chance = random.Random(seed)
    kept = [first, *[first + step for step in range(1, 99) if chance.random() < 0.8], first + 99]
    for bits in (32, 16):
        found = told(None, [counter % 2**bits for counter in kept])
        assert found == RadioAccount(heard=len(kept), lost=100 - len(kept))
