"""Opening hours, holidays, and the two days of the year that are not 24 hours long."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.rules import Calendar, Exceptional, Hours, OpeningHours, public_holidays, school_holidays
from alerting.rules._calendar import weekdays

PARIS = ZoneInfo("Europe/Paris")


def at(text: str, zone: ZoneInfo = PARIS) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def hours(**fields: object) -> OpeningHours:
    return OpeningHours.model_validate({"weekly": weekdays(("08:30", "12:00"), ("13:30", "16:30"))} | fields)


def test_a_day_opens_and_closes() -> None:
    calendar = Calendar(hours(), PARIS)
    assert calendar.at(at("2026-11-02T08:29")) == (False, at("2026-11-02T08:30"))
    assert calendar.at(at("2026-11-02T08:30")) == (True, at("2026-11-02T12:00"))
    assert calendar.at(at("2026-11-02T12:00")) == (False, at("2026-11-02T13:30"))
    assert calendar.at(at("2026-11-06T17:00")) == (False, at("2026-11-09T08:30"))


@pytest.mark.parametrize(
    ("day", "region", "is_closed"),
    [
        ("2026-11-11", "metropole", True),  # Armistice
        ("2026-04-03", "metropole", False),  # Good Friday
        ("2026-04-03", "alsace-moselle", True),
        ("2025-12-26", "alsace-moselle", True),  # Saint Stephen
        ("2025-12-26", "metropole", False),
        ("2027-12-20", "974", True),  # abolition of slavery, La Réunion
    ],
)
def test_public_holidays_close(day: str, region: str, is_closed: bool) -> None:  # noqa: FBT001 - a parameter
    calendar = Calendar(hours(region=region), PARIS)
    assert calendar.at(at(f"{day}T10:00")).is_open is not is_closed
    assert (date.fromisoformat(day) in public_holidays(int(day[:4]), region)) is is_closed  # type: ignore[arg-type]


def test_school_holidays_of_zone_b_as_decreed() -> None:
    """Source: calendrier scolaire 2025-2026 of the ministry of education; first and last days without school."""
    decreed = [
        ("2025-10-18", "2025-11-02"),
        ("2025-12-20", "2026-01-04"),
        ("2026-02-14", "2026-03-01"),
        ("2026-04-11", "2026-04-26"),
    ]
    days = school_holidays(2025, "B") | school_holidays(2026, "B")
    for first, last in decreed:
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
        assert all(begin + timedelta(days=count) in days for count in range((end - begin).days + 1))
        assert begin - timedelta(days=1) not in days
        assert end + timedelta(days=1) not in days
    calendar = Calendar(hours(school_holidays="B"), PARIS)
    assert calendar.at(at("2026-02-18T10:00")) == (False, at("2026-03-02T08:30"))


def test_exceptions_go_before_everything() -> None:
    fete = Exceptional(first=date(2026, 7, 14), last=date(2026, 7, 14), hours=(Hours(opens=time(10), closes=time(12)),))
    calendar = Calendar(hours(exceptions=(fete,)), PARIS)
    assert calendar.at(at("2026-07-14T11:00")) == (True, at("2026-07-14T12:00"))


@pytest.mark.parametrize(("day", "lasts_h"), [("2026-03-29", 7), ("2026-10-25", 9), ("2026-11-01", 8)])
def test_a_night_lasts_as_long_as_it_does(day: str, lasts_h: int) -> None:
    calendar = Calendar(OpeningHours(weekly=weekdays(("22:00", "06:00"), days=("sat",)), public_holidays="open"), PARIS)
    begins = at(f"{date.fromisoformat(day) - timedelta(days=1)}T22:00")
    assert calendar.at(begins) == (True, begins + lasts_h * 3600)


@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.sampled_from(["Europe/Paris", "Indian/Reunion", "America/Guadeloupe", "Pacific/Noumea"]),
)
def test_it_is_open_when_the_clock_on_the_wall_says_so(minutes: int, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    calendar = Calendar(hours(public_holidays="open"), zone)
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    local = moment.astimezone(zone)
    wall = local.time()
    expected = local.weekday() < 5 and (time(8, 30) <= wall < time(12) or time(13, 30) <= wall < time(16, 30))
    span = calendar.at(moment.timestamp())
    assert span.is_open is expected
    assert span.until_s > moment.timestamp()
    assert calendar.at(span.until_s - 1).is_open is expected
