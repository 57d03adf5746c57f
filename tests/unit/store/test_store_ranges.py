"""Ranges: of the ladder of reading, of maintenance, of partitions."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from store.maintenance.aggregates import day_spans
from store.maintenance.days import TimeRange, day_of
from store.maintenance.retention import kept_from
from store.maintenance.rollups import DeviceRange, device_days, device_ranges
from store.partitions import Partition, expired, month_after, month_of
from store.reading.every import Every, edges
from store.reading.ladder import HOUR, Range, joined, steps, whole_units

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2025, 3, 1, tzinfo=UTC)
MINUTES = st.integers(0, 60 * 24 * 60)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


RANGES = st.lists(st.tuples(MINUTES, MINUTES).map(lambda pair: Range(at(min(pair)), at(max(pair)))), max_size=8)


def length(ranges: list[Range]) -> timedelta:
    return sum((one.end - one.start for one in ranges), timedelta(0))


@given(RANGES)
def test_joined_ranges_hold_the_same_moments_apart(ranges: list[Range]) -> None:
    found = joined(ranges)
    assert all(one.end < after.start for one, after in itertools.pairwise(found))
    for moment in {edge for one in ranges for edge in one}:
        held = any(one.start <= moment < one.end for one in ranges)
        assert held == any(one.start <= moment < one.end for one in found)


@given(RANGES, st.sampled_from(["day", HOUR]))
def test_whole_units_and_margins_make_up_the_ranges(ranges: list[Range], step: Every) -> None:
    apart = joined(ranges)
    inside, margins = whole_units(apart, step)
    assert length(inside) + length(margins) == length(apart)
    assert joined([*inside, *margins]) == apart


def test_the_ladder_starts_where_the_bounds_allow() -> None:
    def ladder(every: Every, zone: str, days: int = 10) -> list[Every]:
        whole = Range(START + timedelta(minutes=7), START + timedelta(days=days))
        return steps(whole, edges(*whole, every, ZoneInfo(zone)))

    assert ladder("day", "Europe/Paris") == ["day", HOUR]
    assert ladder("month", "Europe/Paris", 90) == ["day", HOUR]
    assert ladder("day", "America/Guadeloupe") == [HOUR]
    assert ladder(timedelta(hours=6), "Europe/Paris") == [HOUR]
    assert ladder(timedelta(minutes=20), "Europe/Paris") == []
    assert ladder("day", "Pacific/Marquesas") == []
    assert ladder("day", "Europe/Paris", 2) == []


def test_marked_hours_of_a_device_that_touch_are_one_range() -> None:
    hours = [START + timedelta(hours=number) for number in (0, 1, 2, 5)]
    marks = {(1, hours[1]), (1, hours[0]), (1, hours[3]), (2, hours[2]), (1, hours[2])}
    assert device_ranges(marks) == [
        (1, START, hours[2] + HOUR),
        (1, hours[3], hours[3] + HOUR),
        (2, hours[2], hours[2] + HOUR),
    ]


def test_days_of_the_territory_that_hold_marked_hours_are_named_once() -> None:
    clocks = datetime(2025, 3, 28, 21, tzinfo=UTC)  # 22 h in Paris, two nights before its clocks go forward
    days = [day_of(clocks + timedelta(days=number)) for number in range(4)]
    assert [day.end - day.start for day in days] == [timedelta(hours=hours) for hours in (24, 24, 23, 24)]
    ranges = [DeviceRange(2, clocks, days[3].start), DeviceRange(1, clocks, clocks + HOUR)]
    ranges += [DeviceRange(2, days[3].start + one * HOUR, days[3].start + (one + 1) * HOUR) for one in (0, 5)]
    assert device_days(ranges) == [(1, *days[0]), *((2, *day) for day in days)]
    assert device_ranges([]) == device_days([]) == []


def test_hours_are_refreshed_a_day_at_a_time() -> None:
    hours = [START + timedelta(hours=number) for number in (-3, -1, 3, 22, 23)]  # Paris is an hour ahead
    assert list(day_spans(hours).values()) == [
        TimeRange(hours[0], hours[0] + HOUR),
        TimeRange(hours[1], hours[3] + HOUR),
        TimeRange(hours[4], hours[4] + HOUR),
    ]
    assert [day.start for day in day_spans(hours)] == [day_of(hours[number]).start for number in (0, 1, 4)]


def test_a_day_of_the_territory_has_23_to_25_hours() -> None:
    for month, day, hours in [(3, 30, 23), (10, 26, 25), (6, 1, 24)]:
        found = day_of(datetime(2025, month, day, 12, tzinfo=UTC))
        assert found.end - found.start == timedelta(hours=hours)
        assert found.start == datetime(2025, month, day, tzinfo=PARIS)


@given(st.dates(date(2015, 1, 1), date(2050, 1, 1)), st.integers(-200, 200))
def test_months_are_counted_forth_and_back(day: date, count: int) -> None:
    month = day.replace(day=1)
    assert month_after(month_after(month, count), -count) == month


def test_what_is_kept_is_whole_months() -> None:
    now = datetime(2025, 6, 15, tzinfo=UTC)
    months = [month_after(month_of(now), count) for count in range(-4, 2)]
    known = [Partition("uplinks", f"uplinks_{month:%Y_%m}", month, month_after(month)) for month in months]
    assert [one.start for one in expired(known, 2, now)] == [date(2025, 2, 1), date(2025, 3, 1)]
    assert kept_from(2, now) == datetime(2025, 4, 1, tzinfo=UTC)
    assert kept_from(None, now) < datetime(1900, 1, 1, tzinfo=UTC)
