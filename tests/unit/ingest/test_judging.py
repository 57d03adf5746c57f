"""Which readings are stored: plausible ones, of a time that can be."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from domain.quarantine import BAD_TIME, IMPLAUSIBLE
from domain.readings import Reading
from ingest.judging import judge, kept_detail
from store.batch import Live, Measured
from store.known import QuantityRef

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUANTITIES = {"temperature": QuantityRef(7, -40.0, 85.0)}


def test_readings_of_the_moment_and_of_the_past_are_told_apart() -> None:
    hour_ago = AT - timedelta(hours=1)
    readings = [
        Reading("temperature", 20.0),
        Reading("temperature", 19.0, 1, age_s=3600),
        Reading("temperature", 18.0, measured_at=hour_ago),
    ]
    live, past, unfit = judge(readings, AT, QUANTITIES)
    assert live == Live((7,), (0,), (20.0,))
    assert past == [Measured(7, 1, hour_ago, 19.0), Measured(7, 0, hour_ago, 18.0)]
    assert unfit == []


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (Reading("temperature", 85.1), IMPLAUSIBLE),
        (Reading("temperature", math.nan), IMPLAUSIBLE),
        (Reading("temperature", -math.inf), IMPLAUSIBLE),
        (Reading("ns:unheard of", 1.0), IMPLAUSIBLE),
        (Reading("temperature", 20.0, measured_at=datetime(2014, 12, 31, tzinfo=UTC)), BAD_TIME),
        (Reading("temperature", 20.0, measured_at=AT + timedelta(days=1, seconds=1)), BAD_TIME),
        (Reading("temperature", 20.0, age_s=1e12), BAD_TIME),  # before the first year there is
        (Reading("temperature", 20.0, age_s=-1e300), BAD_TIME),  # more than a timedelta holds
    ],
)
def test_what_cannot_be_is_not_stored_and_says_why(reading: Reading, reason: str) -> None:
    live, past, (unfit,) = judge([reading], AT, QUANTITIES)
    assert (live, past) == (Live((), (), ()), [])
    assert (unfit.quantity, unfit.reason) == (reading.quantity, reason)


def test_detail_is_text_that_the_database_takes() -> None:
    assert kept_detail("a\0b\ud800" + 600 * "c") == "a\ufffdb?" + 496 * "c"
