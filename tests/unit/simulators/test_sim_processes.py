import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulators import processes as physics

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 9, tzinfo=UTC)
LESSONS = physics.working_hours(8.5, 16.5, frozenset((0, 1, 3, 4)))


def at(hour: float, day: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


def test_unit_is_uniform_and_depends_on_both_arguments() -> None:
    values = [physics.unit("a", number) for number in range(4000)]
    assert all(0 <= value < 1 for value in values)
    assert sum(values) / 4000 == pytest.approx(0.5, abs=0.02)
    assert physics.unit("a", 1) == physics.unit("a", 1)
    assert len({physics.unit(seed, 1) for seed in "abcd"}) == 4


def test_drift_is_smooth_and_bounded() -> None:
    values = [physics.drift("s", MONDAY + timedelta(seconds=10 * n), 600) for n in range(2000)]
    assert all(-1 <= value <= 1 for value in values)
    assert max(abs(b - a) for a, b in itertools.pairwise(values)) <= 2 * 1.5 * 10 / 600


def test_winter_nights_are_colder_than_summer_days() -> None:
    january = [physics.outdoor_temperature("x", datetime(2026, 1, day, 4, tzinfo=UTC)) for day in range(1, 29)]
    july = [physics.outdoor_temperature("x", datetime(2026, 7, day, 14, tzinfo=UTC)) for day in range(1, 29)]
    assert -10 < min(january) < max(january) < 8
    assert 17 < min(july) < max(july) < 35
    assert all(25 <= physics.outdoor_humidity("x", at(hour)) <= 99 for hour in range(24))


def test_co2_rises_with_the_lesson_and_falls_overnight() -> None:
    def level(hour: float, day: int = 0) -> float:
        return physics.room_co2(at(hour, day), PARIS, LESSONS, people=24, volume_m3=180)

    assert level(5) == pytest.approx(physics.OUTDOOR_CO2_PPM)
    assert level(7.5) < level(9) < level(10.9)
    assert level(12.3) < level(10.9)  # lunch
    assert 1200 < level(15.4) < 3000
    assert level(22) < 600
    assert level(10.9, day=2) == pytest.approx(physics.OUTDOOR_CO2_PPM)  # no school on Wednesday


def test_the_room_is_warm_when_people_come_and_cool_at_night() -> None:
    def temperature(hour: float, outdoor: float = 3.0) -> float:
        return physics.room_temperature(at(hour), PARIS, LESSONS, outdoor_c=outdoor)

    assert 15.9 < temperature(4) < 16.6
    assert temperature(6) < temperature(7.6) < temperature(12)
    assert 19 < temperature(14) < 20.1
    assert temperature(14, outdoor=25) == 27
