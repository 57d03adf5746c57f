from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from api.gaps import LOOSE, STRICT, Gap, gaps

START = datetime(2025, 11, 22, tzinfo=UTC)
END = START + timedelta(hours=24)


def at(*hours: float) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in hours]


def test_one_lost_frame_is_no_hole_three_are() -> None:
    assert gaps(at(*[h for h in range(24) if h != 5]), START, END, LOOSE) == []
    missing = at(*[h for h in range(24) if h not in {5, 6, 7}])
    assert gaps(missing, START, END, LOOSE) == [Gap(*at(4, 8))]


def test_an_empty_bucket_among_full_ones_is_a_hole() -> None:
    assert gaps(at(*[h for h in range(24) if h != 5]), START, END, STRICT) == [Gap(*at(4, 6))]


def test_silence_before_the_first_and_after_the_last_is_a_hole() -> None:
    assert gaps(at(10, 11, 12, 13), START, END, LOOSE) == [Gap(START, at(10)[0]), Gap(at(13)[0], END)]


def test_two_measurements_have_no_usual_step() -> None:
    assert gaps(at(1, 20), START, END, LOOSE) == []
    assert gaps([], START, END, LOOSE) == []


@given(st.lists(st.floats(0, 23.9), min_size=3, max_size=30))
def test_holes_are_in_order_and_hold_no_measurement(hours: list[float]) -> None:
    times = sorted(at(*hours))
    found = gaps(times, START, END, LOOSE)
    assert found == sorted(found)
    for gap in found:
        assert START <= gap.start < gap.end <= END
        assert not any(gap.start < time < gap.end for time in times)
