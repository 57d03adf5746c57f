"""The same rule twice, ours and Prometheus's, over the same series, and what promtool says of the expectation we make.

The subset that both have: comparison, `for`, `keep_firing_for`, absent, rate, delta, increase, *_over_time, `and`,
`or`, counts over several series. The look-back is made equal: Prometheus's ranges hold both of their ends, our values
hold until just before; so a hold of 20 minutes is a range of 19m59s999ms. Series and evaluations share one interval.

What only one of both has is `Unsupported`, with its reason, and counted apart.
"""

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alerting.rules import parse
from alerting.rules._base import Surroundings
from alerting.rules._notation import values
from alerting.states import FIRING, KEEP_FIRING, Rule
from alerting.step import initial, step

STEP_S = 60
START_S = 1_800_000_000.0
PER_FILE = 5  # promtool evaluates all rules of a file for each of its tests


class Pair(NamedTuple):
    """A rule as we write it, its PromQL, and the series as both write them."""

    kind: str
    fields: dict[str, Any]
    expression: str
    for_s: int
    keep_firing_s: int
    series: tuple[str, ...]
    members: int


class Unsupported(NamedTuple):
    """A rule that only we can say, or whose PromQL means something else."""

    reason: str


def pair(chance: random.Random, name: str) -> Pair | Unsupported:
    """Return one rule with its series; `name` is the metric's, so that rules in one file are apart."""
    for_s, keep_s = (STEP_S * chance.choice([0, 0, 1, 2, 3, 5]) for _ in range(2))
    make = chance.choice([threshold, stale, silence, aggregate, change, group, combined, ours_alone])
    made = make(chance, name, for_s, keep_s)
    if isinstance(made, Unsupported):
        return made
    kind, fields, expression, series = made
    common = {"for_s": for_s, "keep_firing_s": keep_s, "no_data": "resolve", "flap_count": 0}
    return Pair(kind, fields | common, expression, for_s, keep_s, series, len(series) if kind == "group" else 1)


Made = tuple[str, dict[str, Any], str, tuple[str, ...]] | Unsupported


def walk(chance: random.Random, length: int, gaps: float) -> list[int | None]:
    """Return small numbers that come and go around 5, some of them missing; the first is there."""
    level, found = chance.randint(0, 9), []
    while len(found) < length:
        level = min(max(level + chance.choice([-3, -1, 0, 0, 1, 3]), 0), 10)
        found.append(level)
        if chance.random() < gaps:
            found += [None] * chance.choice([1, 2, 4, 7, 25])
    return found[:length]


def written(numbers: Sequence[int | str | None]) -> str:
    return " ".join("_" if one is None else str(one) for one in numbers)


def bound(chance: random.Random) -> tuple[str, str, float]:
    level = chance.randint(2, 8) + 0.5
    return chance.choice([("above", ">", level), ("below", "<", level)])


def held(hold_s: int) -> str:
    return f"{hold_s * 1000 - 1}ms"


def threshold(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    del for_s, keep_s
    side, sign, level = bound(chance)
    hold_s = STEP_S * chance.choice([1, 2, 5, 10])
    fields = {"quantity": "co2", side: level, "hold_s": hold_s}
    series = written(walk(chance, chance.randint(5, 60), chance.choice([0, 0.1])))
    return "threshold", fields, f"last_over_time({name}[{held(hold_s)}]) {sign} {level}", (series,)


def stale(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    """An instant selector: Prometheus's own look-back of five minutes, and series that end."""
    del for_s, keep_s
    side, sign, level = bound(chance)
    numbers: list[int | str | None] = list(walk(chance, chance.randint(5, 60), 0.05))
    for place in range(1, len(numbers)):
        if chance.random() < 0.05:
            numbers[place] = "stale"
    # valid for five minutes, both ends: the first evaluation without it is a step later
    fields = {"quantity": "co2", side: level, "hold_s": 300 + STEP_S}
    return "threshold", fields, f"{name} {sign} {level}", (written(numbers),)


def silence(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    del for_s, keep_s
    period_s, missed = STEP_S, chance.choice([2, 3, 5])
    fields = {"period_s": period_s, "missed": missed, "at_least_s": 60}
    series = written(walk(chance, chance.randint(10, 60), 0.15))
    return "silent_sensor", fields, f"absent_over_time({name}[{held(period_s * missed)}])", (series,)


def aggregate(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    side, sign, level = bound(chance)
    function = chance.choice(["mean", "min", "max", "sum", "count"])
    over_s = STEP_S * chance.choice([1, 2, 5, 10])
    if function == "sum":
        level *= over_s // STEP_S
    gaps = chance.choice([0, 0.1])
    if gaps and (for_s or keep_s):
        return Unsupported("a window that empties between two evaluations, with a duration")
    called = {"mean": "avg"}.get(function, function)
    fields = {"quantity": "co2", "function": function, "over_s": over_s, side: level}
    series = written(walk(chance, chance.randint(5, 60), gaps))
    return "aggregate", fields, f"{called}_over_time({name}[{over_s}s]) {sign} {level}", (series,)


def change(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    """Prometheus extrapolates over what its range lacks; a full range has nothing to extrapolate."""
    del for_s, keep_s
    within_s = STEP_S * chance.choice([1, 2, 5])
    by = chance.randint(1, 6) + 0.5
    if chance.random() < 0.1:
        return Unsupported("delta and rate of a series with gaps are extrapolated")
    prefix = within_s // STEP_S + 1
    if chance.random() < 0.5:
        numbers = [one or 0 for one in walk(chance, chance.randint(10, 60), 0)]
        numbers = [numbers[0]] * prefix + numbers
        way, sign = chance.choice([("rise", f"> {by}"), ("fall", f"< {-by}")])
        fields = {"quantity": "co2", way: by, "within_s": within_s}
        return "rate_of_change", fields, f"delta({name}[{within_s}s]) {sign}", (written(numbers),)
    index, numbers = chance.randint(10, 5000), []
    for _ in range(chance.randint(10, 60)):
        index = chance.randint(0, index // 3) if chance.random() < 0.05 else index + chance.choice([0, 0, 1, 2, 5])
        numbers.append(index)
    numbers = [numbers[0]] * prefix + numbers
    fields = {"quantity": "water_volume", "rise": by, "within_s": within_s}
    if chance.random() < 0.5:
        return "rate_of_change", fields, f"increase({name}[{within_s}s]) > {by}", (written(numbers),)
    return "rate_of_change", fields, f"rate({name}[{within_s}s]) * {within_s} > {by}", (written(numbers),)


def group(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    del for_s, keep_s
    side, sign, level = bound(chance)
    hold_s = STEP_S * chance.choice([2, 5])
    members = chance.randint(2, 5)
    mode = chance.choice(["any", "all", "count"])
    needed = chance.randint(1, members)
    fields: dict[str, Any] = {"quantity": "co2", side: level, "hold_s": hold_s, "mode": mode}
    latest = f"last_over_time({name}[{held(hold_s)}])"
    beyond = f"count({latest} {sign} {level})"
    if mode == "count":
        fields["count"] = needed
    expression = f"{beyond} == count({latest})" if mode == "all" else f"{beyond} >= {needed if mode == 'count' else 1}"
    series = tuple(written(walk(chance, 40, 0.08)) for _ in range(members))
    return "group", fields, expression, series


def combined(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    del for_s, keep_s
    hold_s = STEP_S * chance.choice([2, 5])
    (op_a, sign_a, level_a), (op_b, sign_b, level_b) = bound(chance), bound(chance)
    first, second = (f"last_over_time({name}_{letter}[{held(hold_s)}])" for letter in "ab")
    series = tuple(written(walk(chance, 40, 0.08)) for _ in range(2))
    if chance.random() < 0.3:
        when: dict[str, Any] = {
            "op": f"difference_{op_a}", "quantity": "co2", "minus": {"quantity": "tvoc"}, "value": level_a - 5
        }  # fmt: skip
        return "combined", {"when": when, "hold_s": hold_s}, f"{first} - {second} {sign_a} {level_a - 5}", series
    joint, word = chance.choice([("all", "and"), ("any", "or")])
    of = [
        {"op": op_a, "quantity": "co2", "value": level_a},
        {"op": op_b, "quantity": "tvoc", "value": level_b},
    ]
    expression = f"({first} {sign_a} {level_a}) {word} ({second} {sign_b} {level_b})"
    return "combined", {"when": {"op": joint, "of": of}, "hold_s": hold_s}, expression, series


def ours_alone(chance: random.Random, name: str, for_s: int, keep_s: int) -> Made:
    del name, for_s, keep_s
    return Unsupported(
        chance.choice(
            [
                "a clear level of its own",
                "a second step",
                "flapping",
                "opening hours",
                "n of m samples",
                "a learnt period",
                "a silence that keeps an alert open",
            ]
        )
    )


def firing_times(one: Pair) -> list[bool]:
    """Return at which evaluations our rule fires."""
    definition = parse(one.kind, one.fields)
    rule = Rule(definition, Surroundings(period_s=STEP_S, since_s=START_S, members=one.members))
    series = [values(text) for text in one.series]
    samples = sorted(
        (START_S + place * STEP_S, number, value)
        for number, numbers in enumerate(series)
        for place, value in enumerate(numbers)
        if value is not None
    )
    count = max(map(len, series)) + (0 if one.kind == "rate_of_change" else 15)
    end_s = START_S + (count - 1) * STEP_S
    transitions = step(rule, initial(rule), samples, end_s).transitions
    found, is_firing, place = [], False, 0
    for number in range(count):
        while place < len(transitions) and transitions[place].at_s <= START_S + number * STEP_S:
            is_firing = transitions[place].after in {FIRING, KEEP_FIRING}
            place += 1
        found.append(is_firing)
    return found


def files(pairs: Sequence[tuple[str, Pair]], folder: Path, number: int) -> Path:
    """Write a file of rules and one of tests that expect of promtool what we do; return the latter."""
    rules, tests = ["groups:\n- name: g\n  rules:"], []
    for name, one in pairs:
        rules.append(f"  - alert: {name}\n    expr: '{one.expression}'")
        rules += [f"    for: {one.for_s}s"] if one.for_s else []
        rules += [f"    keep_firing_for: {one.keep_firing_s}s"] if one.keep_firing_s else []
        tests.append(f"- interval: {STEP_S}s\n  input_series:")
        for place, text in enumerate(one.series):
            metric = f"{name}_{'ab'[place]}" if one.kind == "combined" else f'{name}{{p="{place}"}}'
            metric = name if len(one.series) == 1 else metric
            tests.append(f"  - series: '{metric}'\n    values: '{text}'")
        tests.append("  alert_rule_test:")
        for at, is_firing in enumerate(firing_times(one)):
            tests.append(f"  - eval_time: {at * STEP_S}s\n    alertname: {name}")
            tests += ["    exp_alerts:\n    - exp_labels: {}"] if is_firing else []
    (folder / f"rules{number}.yml").write_text("\n".join(rules) + "\n", "utf-8")
    path = folder / f"tests{number}.yml"
    head = f"rule_files: [rules{number}.yml]\nevaluation_interval: {STEP_S}s\ntests:\n"
    path.write_text(head + "\n".join(tests) + "\n", "utf-8")
    return path


def differences(promtool: str, paths: Sequence[Path]) -> str:
    """Return what promtool says that differs; '' when nothing does."""
    done = subprocess.run([promtool, "test", "rules", *paths], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    passed = said.count("SUCCESS")
    if done.returncode == 0 and passed == len(paths):
        return ""
    return said or f"promtool ended with {done.returncode}, {passed} of {len(paths)} files passed"
