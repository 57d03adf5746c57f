"""What is kept of a network server's own decoding."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.foreign import MAX_FIELDS, MAX_NAME_LENGTH, foreign_readings
from domain.readings import Reading


@pytest.mark.parametrize(
    ("foreign", "kept"),
    [
        ({"temp": 21.5, "on": True, "off": False}, {"ns:temp": 21.5, "ns:on": 1, "ns:off": 0}),
        ({"name": "x", "none": None, "text": "3.1 V"}, {}),
        ({"a": {"b": {"c": 1}}, "l": [1, {"x": 2}]}, {"ns:a.b.c": 1, "ns:l.0": 1, "ns:l.1.x": 2}),
        ({"a": {"b": {"c": {"d": 4}}}}, {"ns:a.b.c.d": 4}),
        ({"a": {"b": {"c": {"d": {"e": 5}}}}}, {}),
        ({"nan": math.nan, "inf": math.inf, "minus": -math.inf, "huge": 10**400, "ok": 1}, {"ns:ok": 1}),
        ({"te\x00mp\n": 1, "\ud800": 2, "": 3}, {"ns:temp": 1}),
        ({"température": 1}, {"ns:température": 1}),
        ({"a\x00": 1, "a": 2}, {"ns:a": 1}),
    ],
)
def test_numbers_are_kept_under_their_path(foreign: dict[str, Any], kept: dict[str, float]) -> None:
    assert {reading.quantity: reading.value for reading in foreign_readings(foreign)} == kept


def test_fields_and_names_are_bounded() -> None:
    assert len(foreign_readings({f"f{n}": n for n in range(1000)})) == MAX_FIELDS
    [reading] = foreign_readings({"x" * 1000: 1})
    assert len(reading.quantity) == MAX_NAME_LENGTH


def test_nesting_of_any_depth_is_survived() -> None:
    deep: dict[str, Any] = {"n": 1}
    for _ in range(100_000):
        deep = {"a": deep}
    assert foreign_readings(deep) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(), JSON))
def test_any_json_object_gives_storable_readings(foreign: dict[str, Any]) -> None:
    readings = foreign_readings(foreign)
    assert len({reading.quantity for reading in readings}) == len(readings) <= MAX_FIELDS
    for reading in readings:
        assert isinstance(reading, Reading)
        assert math.isfinite(reading.value)
        name = reading.quantity
        assert name.startswith("ns:") and len(name) <= MAX_NAME_LENGTH  # noqa: PT018 - one property
        assert "\0" not in name
        json.dumps(name).encode()
        name.encode()
