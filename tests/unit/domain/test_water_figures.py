import pytest

from domain import water
from domain.water import Network


def test_yield_losses_and_the_threshold_of_the_decree() -> None:
    # 100,000 m3 in, 80,000 used, 5,000 sold, 20 km: as the formulas of the decree, by hand.
    told = water.performance(Network(95_000, 5_000, 5_000, 80_000, 20))
    assert told is not None
    assert told.yield_percent == pytest.approx(85.0)
    assert told.losses == pytest.approx(15_000 / (365 * 20))
    assert told.consumption == pytest.approx(85_000 / (365 * 20))
    assert told.threshold_percent == pytest.approx(65 + 85_000 / (365 * 20) / 5)
    assert told.suffices
    poor = water.performance(Network(100_000, 0, 0, 60_000, 20))
    assert poor is not None
    assert not poor.suffices
    dense = water.performance(Network(1_000_000, 0, 0, 840_000, 10))
    assert dense is not None
    assert dense.threshold_percent == 85
    assert water.performance(Network(0, 0, 0, 0, 10)) is None


def test_a_leak_runs_every_night() -> None:
    assert water.leak([0, 60, 61, 62]) == water.Leak(60, 3)
    assert water.leak([60, 61, 62, 0]) is None
    assert water.leak([60, 61]) is None
    found = water.leak([62] * 5)
    assert found is not None
    assert found.litres_a_day() == 1488
    assert found.m3_a_year() == pytest.approx(543.12)


def test_more_than_twice_the_years_before_is_abnormal() -> None:
    assert water.is_abnormal(201, [100])
    assert not water.is_abnormal(200, [100])
    assert not water.is_abnormal(200, [])
    assert not water.is_abnormal(250, [10, 150, 150, 150])  # three years count
