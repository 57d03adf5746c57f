from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.reading.every import (
    MAX_BUCKETS,
    Calendar,
    Every,
    a_year_before,
    all_a_year_before,
    edges,
    floor,
    following,
    parse_every,
)

PARIS = ZoneInfo("Europe/Paris")
ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "UTC", "Pacific/Marquesas", "Australia/Lord_Howe", "Asia/Beirut")]
UNITS: list[Every] = [
    "hour",
    "day",
    "week",
    "month",
    "year",
    Calendar(3, "month"),
    Calendar(10, "day"),
    Calendar(2, "week"),
    timedelta(minutes=7),
    timedelta(hours=6),
]
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
    "text", ["", "0m", "-1h", "1.5h", "1x", "P1DT1H", "15", "m", "9999999h", "day ", "Day", "15m\n", "1\uff15m"]
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


def test_quarters_and_other_multiples_are_the_calendar_s() -> None:
    quarter = parse_every("quarter")
    assert quarter == parse_every("P3M") == parse_every("3mo")
    assert edges(local(2025, 1, 1), local(2026, 1, 1), quarter, PARIS) == [
        local(2025, month, 1) for month in (1, 4, 7, 10)
    ] + [local(2026, 1, 1)]
    assert hours(local(2025, 1, 1), local(2025, 7, 1), quarter) == [90 * 24 - 1, 91 * 24]
    assert floor(local(2025, 6, 15), parse_every("P5Y"), PARIS) == local(2025, 1, 1)
    two_weeks = edges(local(2025, 1, 1), local(2025, 3, 1), parse_every("P2W"), PARIS)[1:-1]
    assert {edge.astimezone(PARIS).weekday() for edge in two_weeks} == {0}
    assert {after - before for before, after in pairwise(two_weeks)} == {timedelta(days=14)}


def test_a_year_before_is_the_same_date_or_the_same_weekday() -> None:
    assert a_year_before(local(2025, 7, 14, 12), PARIS, weekday=False) == local(2024, 7, 14, 12)
    same = a_year_before(local(2025, 7, 14, 12), PARIS, weekday=True)
    assert same == local(2024, 7, 15, 12)  # both Mondays
    assert a_year_before(local(2024, 2, 29), PARIS, weekday=False) == local(2023, 3, 1)
    # Summer time ended on 26 October 2025, and on 27 October 2024: noon stays noon.
    assert a_year_before(local(2025, 10, 26, 12), PARIS, weekday=False) == local(2024, 10, 26, 12)


@given(MOMENTS, st.sampled_from(UNITS), st.sampled_from(ZONES), st.booleans())
def test_what_was_a_year_before_keeps_its_order(
    moment: datetime,
    every: Every,
    zone: ZoneInfo,
    weekday: bool,  # noqa: FBT001 - drawn
) -> None:
    bounds = edges(moment, moment + timedelta(days=3), every, zone)
    before = all_a_year_before(bounds, zone, weekday=weekday)
    assert before == sorted(before)
