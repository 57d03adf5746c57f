"""A mark is written once an hour and device, and never left out when it may have been consumed."""

from datetime import UTC, datetime, timedelta

from store.changes import Changes
from store.rows import hour_of, microseconds

NOW = datetime(2026, 11, 22, 10, 20, tzinfo=UTC)
HOUR = hour_of(microseconds(NOW))
NEXT_HOUR = HOUR + 3_600_000_000


def test_a_mark_of_the_running_hour_is_written_once() -> None:
    changes = Changes()
    assert changes.to_write([(1, HOUR), (2, HOUR)], 100.0) == {(1, HOUR), (2, HOUR)}
    changes.committed({(1, HOUR)}, NOW, 100.0)
    assert changes.to_write([(1, HOUR), (2, HOUR)], 101.0) == {(2, HOUR)}


def test_what_was_not_committed_is_written_again() -> None:
    changes = Changes()
    changes.to_write([(1, HOUR)], 100.0)
    assert changes.to_write([(1, HOUR)], 101.0) == {(1, HOUR)}


def test_other_hours_are_always_written() -> None:
    changes = Changes()
    changes.committed({(1, HOUR), (1, HOUR - 3_600_000_000), (1, NEXT_HOUR)}, NOW, 100.0)
    late, ahead = (1, HOUR - 3_600_000_000), (1, NEXT_HOUR)
    assert changes.to_write([late, ahead], 101.0) == {late, ahead}


def test_knowledge_ends_with_the_hour_by_the_databases_clock() -> None:
    changes = Changes()
    changes.committed({(1, HOUR)}, NOW, 100.0)
    end_s = 100.0 + timedelta(minutes=40).total_seconds()
    assert changes.to_write([(1, HOUR)], end_s - 1) == set()
    assert changes.to_write([(1, HOUR)], end_s) == {(1, HOUR)}


def test_a_new_hour_forgets_the_former() -> None:
    changes = Changes()
    changes.committed({(1, HOUR)}, NOW, 100.0)
    changes.committed({(2, NEXT_HOUR)}, NOW + timedelta(hours=1), 3700.0)
    assert changes.to_write([(1, HOUR), (2, NEXT_HOUR), (1, NEXT_HOUR)], 3701.0) == {(1, HOUR), (1, NEXT_HOUR)}
