"""What a point's page says of a year before."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.pages import detail
from api.pages.texts import texts
from api.series import Asked, Found
from store.reading.buckets import CounterBucket, GaugeBucket
from store.reading.series import Series

START = datetime(2025, 11, 10, 23, tzinfo=UTC)
DAY = timedelta(days=1)
ASKED = Asked("co2", 0, "1d", START, START + 4 * DAY, ZoneInfo("Europe/Paris"))


def _level(day: int, mean: float) -> GaugeBucket:
    return GaugeBucket(START + day * DAY, START + (day + 1) * DAY, 144, 400.0, mean, 1200.0, mean)


def _count(day: int, increase: float) -> CounterBucket:
    return CounterBucket(START + day * DAY, START + (day + 1) * DAY, 24, increase, 100.0)


@pytest.mark.parametrize(
    ("before_ppm", "said"),
    [
        (542.0, "Comme l'an dernier."),
        (537.0, "Comme l'an dernier."),  # 5 ppm, of 800 between lowest and highest
        (500.0, "En moyenne 42\u00a0ppm de plus que l'an dernier."),
        (600.0, "En moyenne 58\u00a0ppm de moins que l'an dernier."),
    ],
)
def test_a_level_that_does_not_differ_is_said_to_be_the_same(before_ppm: float, said: str) -> None:
    rows, before = ([_level(day, mean) for day in range(4)] for mean in (542.0, before_ppm))
    told = detail.table(
        Found(Series(1, "co2", 0, "ppm", "gauge", rows), "1d", before), ASKED, "Cette semaine", texts("fr")
    )
    assert told.comparison == said


@pytest.mark.parametrize(
    ("before_m3", "said"), [(10.03, "Comme l'an dernier."), (8.0, "+25\u00a0% par rapport à l'an dernier.")]
)
def test_what_was_counted_is_compared_in_whole_per_cent(before_m3: float, said: str) -> None:
    rows, before = ([_count(day, increase) for day in range(4)] for increase in (10.0, before_m3))
    series = Series(1, "water_volume", 0, "m3", "counter", rows)
    assert detail.table(Found(series, "1d", before), ASKED, "Cette semaine", texts("fr")).comparison == said
