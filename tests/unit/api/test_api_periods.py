from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from api.pages import periods

PARIS = ZoneInfo("Europe/Paris")


def test_a_period_ends_this_morning_and_has_the_same_days_a_year_before() -> None:
    found = periods.period("mois", datetime(2026, 11, 22, 10, tzinfo=UTC), PARIS)
    assert (found.start.date(), found.end.date()) == (date(2026, 11, 1), date(2026, 11, 22))
    assert (found.start_before.date(), found.end_before.date()) == (date(2025, 11, 1), date(2025, 11, 22))
    assert found.days == 21


def test_on_its_first_day_a_period_is_the_whole_one_before() -> None:
    found = periods.period("mois", datetime(2026, 3, 1, 12, tzinfo=UTC), PARIS)
    assert (found.start.date(), found.end.date(), found.days) == (date(2026, 2, 1), date(2026, 3, 1), 28)
    found = periods.period("annee", datetime(2026, 1, 1, 12, tzinfo=UTC), PARIS)
    assert (found.start.date(), found.days) == (date(2025, 1, 1), 365)


def test_a_day_is_the_zones_and_the_29th_of_february_has_a_day_a_year_before() -> None:
    found = periods.period("douze", datetime(2028, 2, 28, 23, 30, tzinfo=UTC), PARIS)
    assert found.end.date() == date(2028, 2, 29)
    assert found.start.date() == date(2027, 2, 28)
    assert found.end.astimezone(UTC).hour == 23
