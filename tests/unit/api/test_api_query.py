from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from api.problems import ProblemError
from api.query import Query


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
