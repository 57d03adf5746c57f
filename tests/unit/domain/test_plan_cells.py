"""The drawing of a plan's cells, and what network servers complain of."""

from typing import Any

import pytest

from domain.complaints import COUNTER, JOIN, NONCE, OTHER, kind_of
from domain.plan_cells import BAD, GOOD, WATCH, Run, runs


def cell(west: float, south: float, indoor: float, redundancy: float) -> dict[str, Any]:
    ring = [[west, south], [west + 0.1, south], [west + 0.1, south + 0.1], [west, south + 0.1], [west, south]]
    return {"geometry": {"coordinates": [ring]}, "properties": {"indoor_sf12": indoor, "redundancy": redundancy}}


def test_neighbours_of_a_row_that_are_heard_alike_are_one_run() -> None:
    found = runs(
        [
            cell(2.2, 49.0, 0.95, 3), cell(2.0, 49.0, 0.95, 2), cell(2.1, 49.0, 1.0, 2.5),  # in no order
            cell(2.3, 49.0, 0.95, 1), cell(2.4, 49.0, 0.95, 2),  # another kind between
            cell(2.0, 49.1, 0.4, 0.5), cell(2.2, 49.1, 0.0, 0.0),  # a hole between
        ]
    )  # fmt: skip
    assert found == {
        GOOD: [Run(49.0, 49.1, 2.0, 2.3), Run(49.0, 49.1, 2.4, 2.5)],
        WATCH: [Run(49.0, 49.1, 2.3, 2.4)],
        BAD: [Run(49.1, 49.2, 2.0, 2.1), Run(49.1, 49.2, 2.2, 2.3)],
    }


def test_what_is_no_cell_is_refused() -> None:
    with pytest.raises(KeyError):
        runs([{"geometry": {"coordinates": [[[2, 49]]]}, "properties": {}}])


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        ("OTAA", "DevNonce has already been used", NONCE),
        ("OTAA", "Validate MIC error", JOIN),
        ("UPLINK_F_CNT_RESET", "Frame-counter reset or rollover detected", COUNTER),
        ("SERVICE_DATA", "geolocation", OTHER),
    ],
)
def test_a_complaint_has_a_kind(code: str, words: str, kind: str) -> None:
    assert kind_of(code, words) == kind
