import pytest

from domain import energy
from domain.energy import Day


def test_degree_days_are_eighteen_less_the_mean_of_the_extremes() -> None:
    assert energy.degree_days(2, 10) == 12
    assert energy.degree_days(16, 26) == 0


def test_a_line_through_days_tells_what_heating_takes() -> None:
    days = [Day(40 + 3 * degrees, degrees) for degrees in range(60)]
    line = energy.line(days)
    assert line is not None
    assert line.level == pytest.approx(40)
    assert line.slope == pytest.approx(3)
    assert line.expected(100, 7) == pytest.approx(40 * 7 + 300)


def test_too_few_days_or_one_weather_tell_nothing_and_nobody_heats_on_warm_days() -> None:
    assert energy.line([Day(1, degrees) for degrees in range(59)]) is None
    assert energy.line([Day(1, 5)] * 60) is None
    cooled = energy.line([Day(100 - degrees, degrees) for degrees in range(60)])
    assert cooled is not None
    assert cooled.slope == 0
    assert cooled.level == pytest.approx(100 - 29.5)


def test_a_correction_moves_the_heating_alone() -> None:
    assert energy.corrected(1000, 300, 400, 2) == 1200
    assert energy.corrected(1000, 300, 200, 0) == 1000
    assert energy.corrected(100, 900, 0, 2) == 0


def test_the_base_load_is_what_nine_hours_of_ten_exceed() -> None:
    assert energy.base_load([5.0] * 23) is None
    assert energy.base_load([2.0] * 100 + [50.0] * 100) == 2.0


def test_the_decree_asks_for_less_and_less() -> None:
    assert [(one.year, round(one.kwh)) for one in energy.targets(1000)] == [(2030, 600), (2040, 500), (2050, 400)]
    assert energy.path(2020, 1000, 2020) == 1000
    assert energy.path(2020, 1000, 2025) == pytest.approx(800)
    assert energy.path(2020, 1000, 2035) == pytest.approx(550)
    assert energy.path(2020, 1000, 2060) == pytest.approx(400)
    assert energy.path(2020, 1000, 2015) == 1000
