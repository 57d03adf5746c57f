"""The forms of rule kinds: each field has its label, and what the form says is what the definition takes."""

import pytest

from alerting.rules import LANGUAGES, Definition, choice_label, fields, kinds, parse

EXAMPLES = {
    "quantity": "co2",
    "above": 10,
    "function": "mean",
    "over_s": 600,
    "empty": 2,
    "budget": 10,
    "mode": "any",
    "n": 2,
    "m": 3,
    "within_s": 600,
    "when": {"op": "above", "quantity": "co2", "value": 1},
    "low": 1,
    "rise": 1,
}


@pytest.mark.parametrize("kind", kinds().values(), ids=list(kinds()))
def test_a_form_says_what_its_kind_takes(kind: type[Definition]) -> None:
    form = fields(kind)
    assert {one.name for one in form} == set(kind.model_fields)
    for one in form:
        for language in LANGUAGES:
            assert one.label[language]
            assert all(choice_label(choice, language) for choice in one.choices)
    needed = {one.name for one in form if one.required}
    open_ones = {one.name for one in form if one.default is None}
    known = {name: value for name, value in EXAMPLES.items() if name in open_ones}
    if "quantity" in known:
        choices = next(one.choices for one in form if one.name == "quantity")
        known["quantity"] = choices[0] if choices else "water_volume"
    assert needed <= known.keys()
    filled = parse(kind.KIND, known)
    for one in form:
        if one.name not in known and not one.required:
            told = filled.model_dump(mode="json")[one.name]
            assert told == one.default
