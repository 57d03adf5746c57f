from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from api import pagination, parameters, series
from api.parameters import Moment, Paged, Period
from api.problems import ProblemError
from api.v1.series import ManyQuery

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2025, 11, 22, 9, 0, tzinfo=UTC)


def paged(address: str) -> Paged:
    return parameters.of_query(make_mocked_request("GET", address), Paged, {})


def period(address: str) -> Period:
    return parameters.of_query(make_mocked_request("GET", address), Period, {})


def refusal(error: pytest.ExceptionInfo[ProblemError]) -> dict[str, Any]:
    (said,) = error.value.extensions["errors"]
    return dict(said)


@pytest.mark.parametrize(
    ("address", "field"),
    [("/?limt=1", "limt"), ("/?limit=1&limit=2", "limit"), ("/?limit=1&LIMIT=1", "LIMIT")],
)
def test_an_unknown_or_repeated_parameter_is_named(address: str, field: str) -> None:
    with pytest.raises(ProblemError) as error:
        paged(address)
    assert refusal(error)["field"] == field


@pytest.mark.parametrize("given_", ["", "0", "-1", "1.0", "1e3", "٣", "a", "1001", "9" * 30, "%201", "%2B1", "1_0"])
def test_a_wrong_number_is_refused_with_what_is_accepted(given_: str) -> None:
    with pytest.raises(ProblemError) as error:
        paged(f"/?limit={given_}")
    assert refusal(error)["accepted"].endswith("a whole number from 1 to 1000")


@pytest.mark.parametrize("given_", ["", "a%00b", "a%0Ab", "%7F", "a" * 201])
def test_a_text_is_printable_and_short(given_: str) -> None:
    with pytest.raises(ProblemError):
        paged(f"/?cursor={given_}")


@pytest.mark.parametrize(
    ("given_", "instant"),
    [
        ("2025-11-22T08:00:00Z", datetime(2025, 11, 22, 8, tzinfo=UTC)),
        ("2025-11-22T09:00:00%2B01:00", datetime(2025, 11, 22, 8, tzinfo=UTC)),
        ("2025-11-22T09:00:00+01:00", datetime(2025, 11, 22, 8, tzinfo=UTC)),
        ("2025-11-22", datetime(2025, 11, 21, 23, tzinfo=UTC)),
        ("2025-07-14", datetime(2025, 7, 13, 22, tzinfo=UTC)),
    ],
)
def test_an_instant_has_a_zone_or_is_a_day_of_the_tenant(given_: str, instant: datetime) -> None:
    found = period(f"/?from={given_}").from_
    assert found is not None
    assert found.in_zone(PARIS) == instant


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "yesterday",
        "2025-13-01",
        "2025-11-22T08:00:00",
        "1999-12-31",
        "2200-01-02",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-14:00",
        "20251122",
        "1763798400",
    ],
)
def test_a_wrong_instant_is_refused(given_: str) -> None:
    with pytest.raises(ProblemError) as error:
        period(f"/?from={given_}")
    assert refusal(error)["field"] == "from"
    assert "ISO 8601" in refusal(error)["accepted"]


def test_a_day_that_is_in_no_calendar_is_told_as_such() -> None:
    with pytest.raises(ProblemError) as error:
        period("/?from=2025-02-29")
    assert error.value.kind.name == "no-such-moment"


@given(st.text(max_size=60))
def test_whatever_is_given_as_an_instant_is_an_instant_or_a_refusal(text: str) -> None:
    try:
        found = parameters._moment(text)
    except (ValueError, ProblemError):
        return
    assert found.in_zone(PARIS).utcoffset() == timedelta(0)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - given here
def test_every_instant_is_read_back(moment: datetime) -> None:
    assert parameters._moment(moment.isoformat()) == Moment(moment, None)


@given(st.integers(0, 2**31 - 1))
def test_a_cursor_comes_back_as_it_went(last_id: int) -> None:
    cursor = pagination.encode("sites", last_id)
    assert pagination.decode("sites", cursor) == last_id
    with pytest.raises(ProblemError):
        pagination.decode("points", cursor)


@given(st.text(max_size=40))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(ProblemError) as error:
        pagination.decode("sites", text)
    assert error.value.kind.name == "no-such-cursor"


def asked(address: str) -> series.Asked:
    query = parameters.of_query(make_mocked_request("GET", f"/?tenant=a&{address}"), series.SeriesQuery, {})
    return series.parse(query, query.quantity, query.channel, PARIS, NOW)


def test_a_series_is_the_last_day_s_unless_said() -> None:
    found = asked("quantity=temperature")
    assert (found.start, found.end, found.every, found.channel) == (NOW - timedelta(days=1), NOW, "raw", 0)


def test_a_series_never_ends_in_the_future() -> None:
    assert asked("quantity=temperature&from=2025-11-01&to=2026-01-01").end == NOW


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("every=raw", "quantity"),
        ("quantity=co2&every=fortnight", "every"),
        ("quantity=co2&every=PT1H30M", "every"),
        ("quantity=co2&channel=-1", "channel"),
        ("quantity=co2&channel=32768", "channel"),
        ("quantity=co2&to=soon", "to"),
        ("quantity=co2&compare=month", "compare"),
    ],
)
def test_a_wrong_series_names_the_parameter(address: str, field: str) -> None:
    with pytest.raises(ProblemError) as error:
        asked(address)
    assert refusal(error)["field"] == field


@pytest.mark.parametrize(
    "address", ["from=2025-11-22&to=2025-11-22", "from=2025-11-23", "from=2026-01-01&to=2026-02-01"]
)
def test_a_period_that_is_none_is_told_as_such(address: str) -> None:
    with pytest.raises(ProblemError) as error:
        asked(f"quantity=co2&{address}")
    assert error.value.kind.name == "no-such-moment"


def test_a_list_is_written_with_commas() -> None:
    request = make_mocked_request("GET", "/?tenant=a&points=3,1&quantity=co2,temperature")
    query = parameters.of_query(request, ManyQuery, {})
    assert (query.points, query.quantity) == ([3, 1], ["co2", "temperature"])
    for wrong in ("1,", ",", "1,x", "", ",".join(["1"] * 51)):
        with pytest.raises(ProblemError) as error:
            parameters.of_query(make_mocked_request("GET", f"/?tenant=a&points={wrong}&quantity=co2"), ManyQuery, {})
        assert refusal(error)["field"] == "points"


@pytest.mark.parametrize("days", [1, 13, 200, 364, 366])
def test_auto_cuts_no_finer_than_fits(days: int) -> None:
    span = timedelta(days=days)
    for columns in (10, 100, 1000):
        every = series.parse_every(series._width(span / (columns - 2)))
        assert len(series.edges(NOW - span, NOW, every, PARIS)) - 1 <= columns
