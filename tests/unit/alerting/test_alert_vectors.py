"""Every kind of rule by YAML tests, as users write them, and what each says in words."""

from pathlib import Path

import pytest
import yaml

from alerting import rule_tests
from alerting.rules import LANGUAGES, RuleError, What, kinds, load, parse
from alerting.rules._notation import seconds, values
from alerting.step import initial, step
from domain.errors import ConfigurationError

VECTORS = Path(__file__).parents[2] / "vectors" / "rules"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case.name}")
    for path in sorted(VECTORS.glob("*.yaml"))
    for case in rule_tests.read(path.read_text("utf-8")).tests
]


@pytest.mark.parametrize("case", CASES)
def test_a_rule_does_what_its_vector_says(case: rule_tests.Case) -> None:
    (outcome,) = rule_tests.run(rule_tests.File(tests=(case,)))
    assert outcome.problems == []


@pytest.mark.parametrize("case", CASES)
def test_a_rule_says_in_words_what_it_does_and_what_it_found(case: rule_tests.Case) -> None:
    definition = rule_tests.definition_of(case.rule)
    texts = [case.series] if isinstance(case.series, str) else list(case.series.values())
    samples = rule_tests.samples_of([values(text) for text in texts], 1.8e9, case.interval)
    rule = rule_tests.Rule(definition, rule_tests.Surroundings(members=len(texts)))
    fired = [one for one in step(rule, initial(rule), samples, 1.8e9 + 1e7).transitions if one.after == "firing"]
    for language in LANGUAGES:
        sentence = definition.sentence(What("Salle 1"), language)
        assert sentence.endswith("(Salle 1).")
        assert "None" not in sentence
        for one in fired:
            assert definition.explain(one.reason, language).endswith(".")
            assert "None" not in definition.explain(one.reason, language)


def test_every_kind_has_a_vector() -> None:
    assert {case.values[0].rule["kind"] for case in CASES} == set(kinds())


def test_the_sentence_of_the_issue() -> None:
    rule = parse("threshold", {"quantity": "co2", "above": 1500, "for_s": 1200, "watch": "open"})
    assert rule.sentence(What(""), "fr").replace("\u202f", " ").replace("\u00a0", " ") == (
        "Prévenir si le CO2 dépasse 1 500 ppm pendant 20 minutes aux heures d'ouverture."
    )


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("threshold", {"quantity": "water_leak", "above": 0.5}, "si la fuite d'eau est signalée."),
        ("threshold", {"quantity": "open", "below": 0.5, "for_s": 600},
         "l'ouverture n'est pas signalée pendant 10 minutes."),
        ("no_consumption", {"quantity": "water_volume"}, "si la consommation d'eau reste nulle pendant 7 jours."),
        ("monthly_budget", {"quantity": "heat_energy", "budget": 900},
         "si la consommation de chaleur du mois doit dépasser 900 kWh au rythme actuel."),
        ("frost", {"for_s": 1800}, "avec un gel attendu dans les 2 heures, pendant 30 minutes."),
    ],
)  # fmt: skip
def test_a_rule_speaks_as_people_do(kind: str, fields: dict[str, object], said: str) -> None:
    sentence = parse(kind, fields).sentence(What(""), "fr").replace("\u202f", " ").replace("\u00a0", " ")
    assert sentence.endswith(said)


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("nonsense", {}, "no rule kind"),
        ("threshold", {"quantity": "co2"}, "give one of above, below"),
        ("threshold", {"quantity": "co2", "above": 10, "clear": 11}, "clear: on the good side"),
        ("threshold", {"quantity": "co2", "above": 10, "second": 9}, "second: further"),
        ("threshold", {"quantity": "co2", "above": 10, "colour": 1}, "colour: no such field"),
        ("n_of_m", {"quantity": "co2", "above": 1, "n": 4, "m": 3}, "n: at most m"),
        ("tank_level", {}, "give low, high or both"),
        ("tank_level", {"low": 3, "high": 2}, "very_low < low"),
        ("monthly_budget", {"quantity": "co2", "budget": 1}, "quantity: an index"),
        ("group", {"quantity": "co2", "above": 1, "mode": "count"}, "count: with the mode count"),
    ],
)
def test_what_a_kind_does_not_allow_is_said(kind: str, fields: dict[str, object], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        parse(kind, fields)


def leaf(quantity: str = "co2") -> dict[str, object]:
    return {"op": "above", "quantity": quantity, "value": 1}


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"op": "all", "of": [leaf() for _ in range(32)]}, "33 conditions; 32 at most"),
        ({"op": "any", "of": [leaf(f"q{number}") for number in range(9)]}, "reads 9 series; 8 at most"),
        ({"op": "not", "of": [leaf(), leaf()]}, "not: of one condition"),
        ({"op": "eval", "of": []}, "when"),
        ({"op": "above", "quantity": "co2", "value": "__import__('os')"}, "when"),
    ],
)
def test_a_tree_of_conditions_is_bounded_when_it_is_saved(when: dict[str, object], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        parse("combined", {"when": when})


def test_a_tree_is_not_deep() -> None:
    when = leaf()
    for _ in range(5):
        when = {"op": "not", "of": [when]}
    with pytest.raises(RuleError, match="nested deeper than 5"):
        parse("combined", {"when": when})


def test_a_broken_kind_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_rules"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "empty.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match="one definition with a KIND"):
        load("some_rules")


def test_the_notation_is_prometheus_s() -> None:
    assert values("1+1x3 _ 5x2 _x2 7-2x1 -1") == [1, 2, 3, 4, None, 5, 5, 5, None, None, 7, 5, -1]
    assert [value != value for value in values("1 stale") if value is not None] == [False, True]  # noqa: PLR0124
    assert (seconds("1h30m"), seconds("90s"), seconds(5)) == (5400, 90, 5)
    for wrong in ("1+x3", "abc", "1x"):
        with pytest.raises(ValueError, match="is not a value"):
            values(wrong)
    with pytest.raises(ValueError, match="is not a duration"):
        seconds("20 minutes")


def test_a_file_says_where_it_is_wrong() -> None:
    with pytest.raises(RuleError, match=r"tests\.0\.expect\.0\.phase"):
        rule_tests.read(
            yaml.safe_dump({"tests": [{"name": "a", "rule": {}, "series": "1", "expect": [{"at": 1, "phase": "x"}]}]})
        )
    with pytest.raises(RuleError, match="not YAML"):
        rule_tests.read("a: [")


def test_a_test_that_fails_says_what_was_found() -> None:
    text = """
    tests:
      - name: wrong
        rule: {kind: threshold, quantity: co2, above: 1}
        series: 0 2
        expect: [{at: 1m, phase: inactive}]
        transitions: []
    """
    (outcome,) = rule_tests.run(rule_tests.read(text))
    assert outcome.problems == [
        "after 60 s: firing, not inactive",
        "other changes of phase: 0 s inactive, 60 s firing",
    ]
