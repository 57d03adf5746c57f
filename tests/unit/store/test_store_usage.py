from datetime import UTC, date, datetime, timedelta

from store.maintenance.usage import EVERY, months_due

NOW = datetime(2025, 11, 22, 9, tzinfo=UTC)
NOVEMBER, OCTOBER, SEPTEMBER = date(2025, 11, 1), date(2025, 10, 1), date(2025, 9, 1)
SETTLED = datetime(2025, 11, 8, tzinfo=UTC)  # when October had


def test_what_was_never_reckoned_is_due_the_newest_first() -> None:
    assert months_due({}, SEPTEMBER, NOW) == [NOVEMBER, OCTOBER, SEPTEMBER]
    assert months_due({}, None, NOW) == []


def test_the_present_month_is_reckoned_again_from_time_to_time() -> None:
    assert months_due({NOVEMBER: NOW - EVERY + timedelta(seconds=1)}, NOVEMBER, NOW) == []
    assert months_due({NOVEMBER: NOW - EVERY - timedelta(seconds=1)}, NOVEMBER, NOW) == [NOVEMBER]


def test_a_month_that_has_settled_is_left_as_it_is() -> None:
    fresh = {NOVEMBER: NOW}
    assert months_due({**fresh, OCTOBER: SETTLED - timedelta(hours=1)}, OCTOBER, NOW) == [OCTOBER]
    assert months_due({**fresh, OCTOBER: SETTLED}, OCTOBER, NOW) == []
