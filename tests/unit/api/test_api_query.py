from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from api import pagination, series
from api.problems import ProblemError
from api.query import Query

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2025, 11, 22, 9, 0, tzinfo=UTC)


def query(address: str, *accepted: str) -> Query:
    return Query(make_mocked_request("GET", address), accepted)


def refusal(error: pytest.ExceptionInfo[ProblemError]) -> dict[str, Any]:
    (said,) = error.value.extensions["errors"]
    return dict(said)


@pytest.mark.parametrize(
    ("address", "field"),
    [("/?limt=1", "limt"), ("/?limit=1&limit=2", "limit"), ("/?limit=1&LIMIT=1", "LIMIT")],
)
def test_an_unknown_or_repeated_parameter_is_named(address: str, field: str) -> None:
    with pytest.raises(ProblemError) as error:
        query(address, "limit")
    assert refusal(error)["field"] == field


@pytest.mark.parametrize("given_", ["", "0", "-1", "1.0", "1e3", "٣", "a", "1001", "9" * 30, " 1", "+1"])
def test_a_wrong_number_is_refused_with_what_is_accepted(given_: str) -> None:
    request = query(f"/?limit={given_}", "limit")
    with pytest.raises(ProblemError) as error:
        request.integer("limit", low=1, high=1000)
    assert refusal(error)["accepted"] == "a whole number from 1 to 1000"


@pytest.mark.parametrize("given_", ["", "a%00b", "a%0Ab", "%7F", "a" * 201])
def test_a_text_is_printable_and_short(given_: str) -> None:
    request = query(f"/?quantity={given_}", "quantity")
    with pytest.raises(ProblemError):
        request.text("quantity", "a name")


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
    assert query(f"/?from={given_}", "from").instant("from", PARIS, NOW) == instant


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "yesterday",
        "2025-13-01",
        "2025-02-29",
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
    request = query(f"/?from={given_}", "from")
    with pytest.raises(ProblemError) as error:
        request.instant("from", PARIS, NOW)
    assert refusal(error)["field"] == "from"
    assert "ISO 8601" in refusal(error)["accepted"]


@given(st.text(max_size=60))
def test_whatever_is_given_as_an_instant_is_an_instant_or_a_refusal(text: str) -> None:
    request = Query(make_mocked_request("GET", "/"), {"from"})
    request._given["from"] = text
    try:
        found = request.instant("from", PARIS, NOW)
    except ProblemError:
        return
    assert found.utcoffset() == timedelta(0)


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
    assert refusal(error)["field"] == "cursor"


def asked(address: str) -> series.Asked:
    return series.parse(query(address, *series.PARAMETERS), PARIS, NOW)


def test_a_series_is_the_last_day_s_unless_said() -> None:
    found = asked("/?quantity=temperature")
    assert (found.start, found.end, found.every, found.channel) == (NOW - timedelta(days=1), NOW, "raw", 0)


def test_a_series_never_ends_in_the_future() -> None:
    assert asked("/?quantity=temperature&from=2025-11-01&to=2026-01-01").end == NOW


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/", "quantity"),
        ("/?quantity=co2&every=2h", "every"),
        ("/?quantity=co2&channel=-1", "channel"),
        ("/?quantity=co2&channel=32768", "channel"),
        ("/?quantity=co2&from=2025-11-22&to=2025-11-22", "from"),
        ("/?quantity=co2&from=2025-11-23", "from"),
        ("/?quantity=co2&from=2026-01-01&to=2026-02-01", "from"),
        ("/?quantity=co2&to=soon", "to"),
    ],
)
def test_a_wrong_series_names_the_parameter(address: str, field: str) -> None:
    with pytest.raises(ProblemError) as error:
        asked(address)
    assert refusal(error)["field"] == field
