from datetime import date, timedelta

from api.pages.history_view import history
from api.pages.texts import texts

FIRST = date(2025, 11, 1)


def written(value: float) -> str:
    return f"{value:g} dBm"


def test_lines_break_where_a_day_lacks_and_say_their_bounds() -> None:
    rssi = {FIRST + timedelta(days=day): value for day, value in ((0, -100.0), (1, -90.0), (4, -95.0))}
    noise = {FIRST: -117.0}
    found = history((("rssi", "RSSI", rssi), ("noise", "Noise", noise), ("none", "None", {})), 10, written, texts("en"))
    assert found is not None
    assert (found.high, found.low) == ("-90 dBm", "-120 dBm")
    first, second = found.curves
    assert (first.path, first.last) == ("M0 33.3h.1L250 0M1000 16.7h.1", "-95 dBm")
    assert (second.kind, second.words, second.path, second.last) == ("noise", "Noise", "M0 90h.1", "-117 dBm")


def test_a_level_that_never_moves_is_drawn_in_the_middle_and_too_few_days_not_at_all() -> None:
    still = {FIRST + timedelta(days=day): 12.0 for day in range(3)}
    found = history((("factor", "SF", still),), 1, written, texts("en"))
    assert found is not None
    assert (found.high, found.low, found.curves[0].path) == ("13 dBm", "11 dBm", "M0 50h.1L500 50L1000 50")
    assert history((("factor", "SF", dict(list(still.items())[:2])),), 1, written, texts("en")) is None
    assert history((), 1, written, texts("en")) is None
