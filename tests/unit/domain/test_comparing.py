"""What is said of communes beside each other, and what is not."""

import pytest

from domain.comparing import Building, Figure, Year, middle, per_inhabitant, per_m2, ranks, whole


def test_a_whole_year_is_told_as_it_was_counted() -> None:
    assert whole(Year(365, 1000.0, 2.0, 0.5, 2200.0), 365, 2200.0) == 1000.0


def test_days_without_measurement_are_completed_in_the_weather_they_had() -> None:
    # 20 days of 2 a day, and the 300 degree days that were missed at 0.5 each
    assert whole(Year(345, 1000.0, 2.0, 0.5, 1900.0), 365, 2200.0) == pytest.approx(1000 + 40 + 150)


def test_without_weather_or_heating_missing_days_are_as_the_others() -> None:
    for year in (
        Year(330, 990.0, None, None, None),
        Year(330, 990.0, 3.2, -0.1, 1900.0),
        Year(330, 990.0, 3.0, 0.0, 1.0),
    ):
        assert whole(year, 365, 2200.0) == pytest.approx(3 * 365)


def test_more_than_one_day_in_ten_missing_says_nothing() -> None:
    assert whole(Year(328, 1000.0, 2.0, 0.5, 1900.0), 365, 2200.0) is None


def test_only_buildings_of_a_known_floor_with_whole_years_are_counted() -> None:
    buildings = [Building(1000.0, [90_000.0, 10_000.0]), Building(500.0, [5_000.0, None]), Building(None, [7_000.0])]
    assert per_m2(buildings) == Figure(100.0, "", 1, 3)


def test_why_nothing_is_told_a_m2() -> None:
    assert per_m2([]).why == "nothing"
    assert per_m2([Building(None, [1.0])]).why == "floor"
    assert per_m2([Building(400.0, [1.0]), Building(500.0, [None])]).why == "short"


def test_water_is_told_when_every_meter_counted_and_inhabitants_are_known() -> None:
    assert per_inhabitant([3000.0, 1000.0], 800) == Figure(5.0, "", 2, 2)
    assert per_inhabitant([3000.0, None], 800) == Figure(None, "short", 1, 2)
    assert per_inhabitant([3000.0], None).why == "inhabitants"
    assert per_inhabitant([], 800).why == "nothing"


def test_who_is_alike_shares_a_rank() -> None:
    found = ranks([("d", 130.0), ("a", 100.0), ("b", 104.0), ("c", 107.0)])
    assert found == {"a": 1, "b": 1, "c": 3, "d": 4}


def test_two_are_not_ranked() -> None:
    assert ranks([("a", 1.0), ("b", 2.0)]) == {}
    assert middle([1.0, 2.0]) is None
    assert middle([1.0, 5.0, 2.0]) == 2.0
