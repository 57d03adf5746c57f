"""The form of combined conditions: what it says, and what it can show of a tree that a program wrote."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting import rules
from alerting.rules._base import Series
from api.pages import conditions

COLD = {"op": "below", "quantity": "temperature", "value": 16.0}
OPEN = {"op": "above", "quantity": "open", "value": 0.5}
DAMP = {"op": "at_least", "quantity": "humidity", "value": 70.0}
DIFFERENCE = {
    "op": "difference_above",
    "quantity": "temperature",
    "value": 10.0,
    "minus": {"quantity": "temperature", "point_id": 3},
}


def again(when: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the form makes of a tree that it shows."""
    shown = conditions.filled(when)
    if shown is None:
        return None
    numbers = {name: value for name, value in shown.items() if name.endswith("_value")}
    tree, wrong = conditions.tree({name: str(value) for name, value in shown.items()}, numbers)
    assert not wrong
    return tree


@pytest.mark.parametrize(
    "when",
    [
        COLD,
        DIFFERENCE,
        {"op": "all", "of": [COLD, OPEN, DIFFERENCE]},
        {"op": "any", "of": [{"op": "all", "of": [COLD, OPEN]}, DAMP]},
    ],
)
def test_what_the_form_says_it_shows_again(when: dict[str, Any]) -> None:
    assert again(when) == when


def test_what_a_program_wrote_otherwise_is_shown_as_what_it_means() -> None:
    either = {"op": "any", "of": [OPEN, DAMP]}
    assert again({"op": "all", "of": [COLD, either]}) == {
        "op": "any",
        "of": [{"op": "all", "of": [COLD, OPEN]}, {"op": "all", "of": [COLD, DAMP]}],
    }
    assert again({"op": "not", "of": [COLD]}) == COLD | {"op": "at_least"}
    assert again({"op": "not", "of": [either]}) == {
        "op": "all",
        "of": [OPEN | {"op": "at_most"}, DAMP | {"op": "below"}],
    }


@pytest.mark.parametrize(
    "when",
    [
        {"op": "not", "of": [DIFFERENCE]},
        {"op": "any", "of": [COLD] * 4},
        {"op": "all", "of": [{"op": "any", "of": [COLD, OPEN]}] * 3},
        {"op": "all", "of": [{"op": "any", "of": [COLD] * 8}] * 3},
        COLD | {"channel": 1},
    ],
)
def test_what_does_not_fit_is_left_to_programs(when: dict[str, Any]) -> None:
    assert conditions.filled(when) is None


def test_a_condition_that_nobody_can_read_is_named() -> None:
    filled = {"c00_quantity": "co2", "c00_op": "above", "c00_value": "x", "c12_value": "3", "c21_quantity": "co2"}
    assert conditions.tree(filled, {"c00_value": None, "c12_value": 3.0, "c21_value": None}) == ({}, [1, 3, 2])
    less = {"c00_quantity": "co2", "c00_op": "equals", "c00_value": "3", "c00_minus": "temperature"}
    assert conditions.tree(less, {"c00_value": 3.0}) == ({}, [1])
    assert conditions.tree({}, {}) == ({}, [])


LEAVES = [
    {"op": op, "quantity": quantity, "value": 1.0} for quantity in ("co2", "humidity") for op in conditions.OPERATORS
]
TREES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.builds(
            lambda op, of: {"op": op, "of": of},
            st.sampled_from(["all", "any"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda one: {"op": "not", "of": [one]}, inner),
    ),
    max_leaves=6,
)


@given(TREES)
def test_the_form_means_what_the_tree_means(when: dict[str, Any]) -> None:
    shown = again(when)
    if shown is None:
        return
    try:
        one, other = (rules.parse("combined", {"when": tree}).when for tree in (when, shown))  # type: ignore[attr-defined]
    except rules.RuleError:
        return  # too deep to be kept at all
    for co2, humidity in product((None, 0.0, 1.0, 2.0), repeat=2):
        known = {Series("co2"): co2, Series("humidity"): humidity}
        values = {series: value for series, value in known.items() if value is not None}
        assert one.holds(values) == other.holds(values)
