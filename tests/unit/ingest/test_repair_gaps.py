"""Gaps from runs agree with the account of the same frames, and say between which moments they lie."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from store.gaps import Gap, Run, gaps_of
from store.maintenance.radio import Heard, account

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def runs(frames: Iterable[Heard]) -> list[Run]:
    """Fold frames, one a minute, as SELECT_RUNS does."""
    found: list[Run] = []
    for minute, frame in enumerate(frames):
        if found and found[-1].dev_addr == frame.dev_addr and found[-1].last + 1 == frame.f_cnt:
            found[-1] = found[-1]._replace(last=frame.f_cnt, last_at=at(minute))
        else:
            found.append(Run(frame.dev_addr, frame.f_cnt, frame.f_cnt, at(minute), at(minute)))
    return found


def of(*counters: int, dev_addr: str = "01") -> list[Heard]:
    return [Heard(dev_addr, counter) for counter in counters]


def gaps(frames: Iterable[Heard]) -> list[Gap]:
    return list(gaps_of(runs(frames)))


def test_a_gap_lies_between_the_frames_around_it() -> None:
    assert gaps(of(5, 6, 9, 10, 12)) == [Gap(2, at(1), at(2)), Gap(1, at(3), at(4))]


def test_no_frame_and_no_break_give_no_gap() -> None:
    assert gaps([]) == []
    assert gaps(of(*range(100))) == []


def test_a_late_frame_splits_its_gap_and_the_rest_is_told_together() -> None:
    assert gaps(of(1, 5, 3)) == [Gap(2, at(0), at(1))]
    assert gaps(of(1, 3, 2)) == []


def test_nothing_is_missing_across_a_new_session_or_a_counter_that_began_again() -> None:
    assert gaps([*of(1, 2), *of(70, 71, dev_addr="02")]) == []
    assert gaps(of(90, 91, 0, 1, 3)) == [Gap(1, at(3), at(4))]
    assert gaps(of(1, 40_000)) == []


def test_sixteen_bits_pass_their_end() -> None:
    assert gaps(of(65_533, 65_534, 1, 2)) == [Gap(2, at(1), at(2))]


jumps = st.sampled_from([1, 1, 1, 1, 2, 3, 0, -1, -2, -5, -65, 300, 16_385, 16_386, 65_535, -65_535, -65_530])


@st.composite
def heard(draw: st.DrawFn) -> list[Heard]:
    counter = draw(st.sampled_from([0, 1, 100, 65_500, 70_000]))
    frames = []
    for jump, dev_addr in draw(st.lists(st.tuples(jumps, st.sampled_from(["01", "01", "01", "02"])), max_size=60)):
        counter = max(counter + jump, 0)
        frames.append(Heard(dev_addr, counter))
    return frames


@given(heard())
@example(of(65_530, 65_535, 2, 0, 65_533, 3))
@example(of(10, 12, 10, 11, 12, 13))
def test_gaps_add_up_to_what_the_account_says_is_lost(frames: list[Heard]) -> None:
    found = gaps(frames)
    assert sum(gap.frames for gap in found) == account(None, frames).lost
    assert all(gap.after < gap.before for gap in found)
    assert all(a.before <= b.before for a, b in pairwise(found))
