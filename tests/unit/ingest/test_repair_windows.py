"""As few questions as will do, and none of the gaps forgotten."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.repair.archive import AFTER, BEFORE, Window
from ingest.repair.windows import Ask, Inside, all_together, plan, windows_of
from store.gaps import DeviceGaps, Gap

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def window(number: int, after: float, before: float) -> Window:
    return Window(f"{number:016x}", at(after), at(before))


def test_windows_are_wider_than_their_gaps_and_become_one_where_they_touch() -> None:
    gaps = [Gap(1, at(100), at(120)), Gap(2, at(0), at(20)), Gap(1, at(24), at(40))]
    assert windows_of(DeviceGaps(1, "01", gaps)) == [
        Window("01", at(0) - BEFORE, at(40) + AFTER),
        Window("01", at(100) - BEFORE, at(120) + AFTER),
    ]


def test_an_outage_of_many_is_one_question_about_all() -> None:
    windows = [window(number, -(number % 10), 30 + number % 10) for number in range(500)]
    assert plan(windows) == [Ask(None, at(-9), at(39))]


def test_one_device_is_asked_for_alone_and_a_day_of_it_at_once() -> None:
    windows = [window(1, 60 * hour, 60 * hour + 30) for hour in range(0, 20, 4)]
    far = window(1, 9000, 9030)
    assert plan([*windows, far]) == [Ask(windows[0].dev_eui, at(0), at(16 * 60 + 30)), Ask(*far)]


def test_a_question_about_all_does_not_swallow_what_lies_apart() -> None:
    windows = [*(window(number, 0, 30) for number in range(100)), window(7, 5000, 5030)]
    assert plan(windows) == [Ask(None, at(0), at(30)), Ask(window(7, 0, 0).dev_eui, at(5000), at(5030))]


def test_nothing_missing_asks_nothing() -> None:
    assert plan([]) == []
    assert all_together([]) == []


some = st.lists(
    st.builds(
        lambda number, after, length: window(number, after, after + length),
        st.integers(1, 8),
        st.integers(0, 5000),
        st.integers(1, 300),
    ),
    max_size=40,
)


@given(some)
def test_questions_cover_every_window(windows: list[Window]) -> None:
    for asks in (plan(windows), all_together(windows)):
        assert len(asks) <= len(windows)
        for one in windows:
            assert any(
                ask.dev_eui in {None, one.dev_eui} and ask.after <= one.after and ask.before >= one.before
                for ask in asks
            )


def test_inside_tells_what_was_asked_for() -> None:
    inside = Inside([window(1, 0, 10), window(1, 20, 30), window(2, 0, 5)])
    one, other = window(1, 0, 0).dev_eui, window(2, 0, 0).dev_eui
    assert [inside(one, at(minute)) for minute in (-1, 0, 10, 15, 25, 31)] == [False, True, True, False, True, False]
    assert [inside(other, at(minute)) for minute in (3, 25)] == [True, False]
    assert not inside("ff", at(3))
