from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.reading.every import MAX_BUCKETS, Every, edges, floor, following, parse_every

PARIS = ZoneInfo("Europe/Paris")
ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "UTC", "Pacific/Marquesas", "Australia/Lord_Howe", "Asia/Beirut")]
UNITS: list[Every] = ["hour", "day", "week", "month", "year", timedelta(minutes=7), timedelta(hours=6)]
MOMENTS = st.datetimes(
    datetime(2015, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)


def hours(start: datetime, end: datetime, every: Every) -> list[float]:
    return [(after - before) / timedelta(hours=1) for before, after in pairwise(edges(start, end, every, PARIS))]


def test_days_across_daylight_saving_have_23_and_25_hours() -> None:
    assert hours(local(2025, 3, 29), local(2025, 4, 1), "day") == [24, 23, 24]
    assert hours(local(2025, 10, 25), local(2025, 10, 28), "day") == [24, 25, 24]
    assert hours(local(2025, 10, 26), local(2025, 10, 27), "hour") == [1] * 25
    assert hours(local(2025, 3, 24), local(2025, 4, 7), "week") == [167, 168]
    assert hours(local(2025, 2, 1), local(2025, 4, 1), "month") == [28 * 24, 31 * 24 - 1]
    assert hours(local(2024, 1, 1), local(2026, 1, 1), "year") == [366 * 24, 365 * 24]


def test_weeks_begin_on_monday() -> None:
    assert floor(local(2025, 6, 15, 12), "week", PARIS) == local(2025, 6, 9)


def test_the_first_and_last_interval_are_cut() -> None:
    start, end = local(2025, 6, 1, 10, 30), local(2025, 6, 3, 8)
    assert edges(start, end, "day", PARIS) == [start, local(2025, 6, 2), local(2025, 6, 3), end]


def test_fixed_intervals_are_counted_in_utc() -> None:
    start = datetime(2025, 6, 1, 1, 5, tzinfo=UTC)
    found = edges(start, start + timedelta(hours=1), timedelta(minutes=20), PARIS)
    assert [edge.minute for edge in found] == [5, 20, 40, 0, 5]


@given(MOMENTS, st.sampled_from(UNITS), st.sampled_from(ZONES))
def test_every_moment_lies_in_one_interval(moment: datetime, every: Every, zone: ZoneInfo) -> None:
    start = floor(moment, every, zone)
    end = following(start, every, zone)
    assert start <= moment < end
    assert floor(start, every, zone) == start
    assert floor(end, every, zone) == end
    assert floor(end - timedelta(microseconds=1), every, zone) == start


@given(MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(days=40)), st.sampled_from(UNITS), st.sampled_from(ZONES))
def test_edges_grow_from_start_to_end(moment: datetime, length: timedelta, every: Every, zone: ZoneInfo) -> None:
    found = edges(moment, moment + length, every, zone)
    assert (found[0], found[-1]) == (moment, moment + length)
    assert all(before < after for before, after in pairwise(found))
    assert all(floor(edge, every, zone) == edge for edge in found[1:-1])


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("day", "day"),
        ("hour", "hour"),
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("6h", timedelta(hours=6)),
    ],
)
def test_what_every_can_be(text: str, every: Every) -> None:
    assert parse_every(text) == every


@pytest.mark.parametrize(
    "text", ["", "0m", "-1h", "1.5h", "1w", "15", "m", "9999999h", "day ", "Day", "15m\n", "1\uff15m"]
)
def test_what_every_cannot_be(text: str) -> None:
    with pytest.raises(ValueError, match="none of"):
        parse_every(text)


def test_too_many_intervals_are_refused() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    second = timedelta(seconds=1)
    assert len(edges(start, start + MAX_BUCKETS * second, second, PARIS)) == MAX_BUCKETS + 1
    with pytest.raises(ValueError, match="intervals"):
        edges(start, start + timedelta(days=3650), second, PARIS)


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1)])
def test_an_interval_is_longer_than_nothing(length: timedelta) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="longer"):
        edges(start, start + timedelta(days=1), length, PARIS)
