"""Tests of rules that people write as YAML files, run by `samara rules test FILE`. docs/alerting.md shows one."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alerting.rules import Calendar, Definition, OpeningHours, RuleError, Surroundings, parse
from alerting.rules._notation import seconds, values
from alerting.states import PHASES, Rule, Sample, Transition
from alerting.step import initial, step

Duration = Annotated[float, BeforeValidator(seconds), Field(ge=0)]
_START: Final = datetime(2026, 1, 5, 0, 0)  # noqa: DTZ001 - local; a Monday


def _phase(name: str) -> str:
    if name not in PHASES:
        raise ValueError(f"{name!r} is no phase; there are {', '.join(PHASES)}")
    return name


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expectation(_Model):
    """What it must be at a time after the start."""

    at: Duration
    phase: Annotated[str, AfterValidator(_phase)]
    degree: int | None = None


class Passage(_Model):
    """A change of phase that must happen."""

    at: Duration
    to: Annotated[str, AfterValidator(_phase)]


class Case(_Model):
    """One test: a rule, what is measured, and what must come of it.

    `series` is one text, or one for each series of the rule in its order, by whatever names. `start` is local.
    """

    name: str
    rule: dict[str, Any]
    interval: Duration = 60.0
    series: str | dict[str, str]
    start: datetime = _START
    zone: str = "Europe/Paris"
    opening_hours: OpeningHours | None = None
    period: Duration | None = None
    expect: tuple[Expectation, ...] = ()
    transitions: tuple[Passage, ...] | None = None


class File(_Model):
    """A file of tests."""

    tests: Annotated[tuple[Case, ...], Field(min_length=1)]


class Outcome(NamedTuple):
    """What became of one test: nothing to say when it passed."""

    name: str
    problems: list[str]


def read(text: str) -> File:
    """Return the tests of a file. Raises RuleError, which says where it is wrong."""
    try:
        return File.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise RuleError(f"not YAML: {error}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        raise RuleError("\n".join(lines)) from None


def run(file: File) -> Iterator[Outcome]:
    """Run the tests, one after the other."""
    for case in file.tests:
        try:
            yield Outcome(case.name, _problems(case))
        except (RuleError, ValueError) as error:
            yield Outcome(case.name, [str(error)])


def definition_of(fields: Mapping[str, Any]) -> Definition:
    """Return the rule that a file writes: durations may be written `20m`. Raises RuleError."""
    given = dict(fields)
    kind = str(given.pop("kind", ""))
    for key, value in given.items():
        if key.endswith("_s") and isinstance(value, str):
            given[key] = seconds(value)
    return parse(kind, given)


def samples_of(series: list[list[float | None]], start_s: float, interval_s: float) -> list[Sample]:
    """Return the samples of some series, one value an interval."""
    return sorted(
        (start_s + place * interval_s, number, value)
        for number, one in enumerate(series)
        for place, value in enumerate(one)
        if value is not None
    )


def _problems(case: Case) -> list[str]:
    zone = ZoneInfo(case.zone)
    start = case.start if case.start.tzinfo is not None else case.start.replace(tzinfo=zone)
    definition = definition_of(case.rule)
    texts = [case.series] if isinstance(case.series, str) else list(case.series.values())
    several = definition.SUBJECT == "group"
    if not several and len(texts) != len(definition.series()):
        raise RuleError(f"the rule reads {len(definition.series())} series, the test gives {len(texts)}")
    series = [values(text) for text in texts]
    if len(series) > 1 and any(value is not None and math.isnan(value) for one in series for value in one):
        raise RuleError("stale: for a rule of one series")
    around = Surroundings(
        zone=zone,
        calendar=None if case.opening_hours is None else Calendar(case.opening_hours, zone),
        period_s=case.period,
        since_s=start.timestamp(),
        members=len(series) if several else 1,
    )
    return list(_compare(case, Rule(definition, around), samples_of(series, start.timestamp(), case.interval)))


def _compare(case: Case, rule: Rule, samples: list[Sample]) -> Iterator[str]:
    start_s = rule.around.since_s
    for wanted in case.expect:
        now_s = start_s + wanted.at
        state = step(rule, initial(rule), [one for one in samples if one[0] <= now_s], now_s).state
        if state.phase != wanted.phase:
            yield f"after {wanted.at:g} s: {state.phase}, not {wanted.phase}"
        if wanted.degree is not None and state.degree != wanted.degree:
            yield f"after {wanted.at:g} s: degree {state.degree}, not {wanted.degree}"
    if case.transitions is not None:
        last_s = max([*(one.at for one in case.transitions), *(one[0] - start_s for one in samples)], default=0.0)
        found = step(rule, initial(rule), samples, start_s + last_s).transitions
        yield from _compare_passages(case.transitions, found, start_s)


def _compare_passages(wanted: tuple[Passage, ...], found: list[Transition], start_s: float) -> Iterator[str]:
    expected = [(one.at, one.to) for one in wanted]
    actual = [(one.at_s - start_s, one.after) for one in found]
    if expected != actual:
        said = ", ".join(f"{at:g} s {phase}" for at, phase in actual) or "none"
        yield f"other changes of phase: {said}"
