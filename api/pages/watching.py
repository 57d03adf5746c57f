"""What pages say of rules: what each watches, what it would have done, and the form to write one. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from alerting import rules
from api.pages import words
from api.pages.alarms import Status
from api.pages.texts import Texts
from api.rules_told import Backtest, Curve, what_of
from store.alerting.rules import RuleAlert, RuleRow

UNITS_S: Final = {"min": 60.0, "h": 3600.0, "d": 86400.0}
_WIDTH, _HEIGHT = 800, 160
_NUMBER: Final = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")
_UNSAID: Final = ("keep_firing_s", "hold_s", "no_data", "flap_count", "flap_window_s", "calm_s", "channel")


class Line(NamedTuple):
    """A rule in a list."""

    rule_id: int
    href: str
    name: str
    sentence: str
    detail: str
    status: Status


def language_of(texts: Texts) -> rules.Language:
    """Return the language in which rules speak."""
    return "en" if texts.language == "en" else "fr"


def line(row: RuleRow, address: str, texts: Texts) -> Line:
    """Return a rule as a line; `address` is that of the list."""
    definition = rules.parse(row.kind, json.loads(row.definition))
    detail = [texts(f"alertes.severity.{row.severity}")]
    if row.backtest is not None:
        detail.append(texts.plural("regles.would", int(json.loads(row.backtest).get("count", 0))))
    return Line(
        row.rule_id,
        f"{address}/{row.rule_id}",
        row.name,
        definition.sentence(what_of(row), language_of(texts)),
        " · ".join(detail),
        status(row, texts),
    )


def status(row: RuleRow, texts: Texts) -> Status:
    """Return how a rule stands."""
    if row.enabled and row.open_alerts:
        return Status("watch", texts.plural("regles.firing", row.open_alerts))
    if row.enabled:
        return Status("good", texts("regles.watching"))
    return Status("none", texts("regles.ready" if row.backtest is not None else "regles.untried"))


class Shown(NamedTuple):
    """A backtest on a page: the sentence, rows of a table, and a drawing."""

    sentence: str
    basis: str
    rows: list[list[str]]
    more: bool
    drawing: "Drawing | None"


class Drawing(NamedTuple):
    """A curve as points of a polygon, and when the rule would have fired, as (x, width)."""

    place: str
    points: str
    firings: list[tuple[float, float]]
    width: int
    height: int
    first: str
    last: str
    least: str
    most: str


def shown(found: Backtest, quantity: str, zone: ZoneInfo, texts: Texts) -> Shown:
    """Return a backtest as it is shown; `quantity` is what the curve is of, '' for none."""
    rows = [
        [
            words.moment(one.started_at, zone, "minute", texts),
            texts("regles.still")
            if one.ended_at is None
            else words.lasting((one.ended_at - one.started_at).total_seconds(), texts),
            one.place,
            one.sentence,
        ]
        for one in found.firings
    ]
    return Shown(
        f"{found.summary}.",
        texts("regles.basis", subjects=found.subjects, samples=found.samples),
        rows,
        len(rows) < found.count,
        None if found.curve is None or len(found.curve.at) < 2 else _drawing(found, found.curve, quantity, zone, texts),
    )


def _drawing(found: Backtest, curve: Curve, quantity: str, zone: ZoneInfo, texts: Texts) -> Drawing:
    begins, ends = found.since.timestamp(), found.until.timestamp()
    least, most = min(curve.low), max(curve.high)
    span = (most - least) or 1.0

    def x(at: datetime) -> float:
        return round(min(max((at.timestamp() - begins) / (ends - begins), 0.0), 1.0) * _WIDTH, 1)

    def y(value: float) -> float:
        return round(_HEIGHT - 6 - (value - least) / span * (_HEIGHT - 12), 1)

    high = [f"{x(at)},{y(value)}" for at, value in zip(curve.at, curve.high, strict=True)]
    low = [f"{x(at)},{y(value) + 1}" for at, value in zip(curve.at, curve.low, strict=True)]
    fired = [
        (x(one.started_at), max(x(one.ended_at or found.until) - x(one.started_at), 2.0))
        for one in found.firings
        if one.place == curve.place
    ]
    said = language_of(texts)
    return Drawing(
        curve.place,
        " ".join([*high, *reversed(low)]),
        fired,
        _WIDTH,
        _HEIGHT,
        words.moment(found.since, zone, "day", texts),
        words.moment(found.until, zone, "day", texts),
        rules.measured(least, quantity, said),
        rules.measured(most, quantity, said),
    )


def fired(found: Sequence[RuleAlert], row: RuleRow, zone: ZoneInfo, texts: Texts) -> list[list[str]]:
    """Return the rows of a table of what a rule found."""
    definition = rules.parse(row.kind, json.loads(row.definition))
    return [
        [
            words.moment(one.started_at, zone, "minute", texts),
            texts("regles.still")
            if one.ended_at is None
            else words.lasting((one.ended_at - one.started_at).total_seconds(), texts),
            ", ".join(part for part in (one.point, one.site) if part),
            definition.explain(json.loads(one.reason), language_of(texts)),
        ]
        for one in found
    ]


class Asked(NamedTuple):
    """One field of the form. `ask`: number, duration, choice, time. `unit` is that of a duration."""

    name: str
    label: str
    ask: str
    value: str
    unit: str
    required: bool
    choices: list[tuple[str, str]]


class Form(NamedTuple):
    """The form of a kind: what nearly everybody says, and what few do."""

    first: list[Asked]
    further: list[Asked]


def form(
    kind: type[rules.Definition],
    given: Mapping[str, str],
    measured: Sequence[str],
    outdoor: Sequence[tuple[str, str]],
    texts: Texts,
) -> Form:
    """Return the form of a kind, filled with what was given.

    `measured` are the quantities that the tenant has, `outdoor` the points (id, name) that measure a temperature.
    """
    asked = {
        one.name: _asked(one, given, measured, outdoor, texts)
        for one in rules.fields(kind)
        if one.ask != "condition" and not (one.ask == "choice" and len(one.choices) == 1)
    }
    return Form(
        [one for name, one in asked.items() if name not in _UNSAID],
        [one for name, one in asked.items() if name in _UNSAID],
    )


def _asked(
    one: rules.Field,
    given: Mapping[str, str],
    measured: Sequence[str],
    outdoor: Sequence[tuple[str, str]],
    texts: Texts,
) -> Asked:
    said = language_of(texts)
    choices = [(choice, rules.choice_label(choice, said)) for choice in one.choices]
    if one.ask == "quantity":
        choices = [(name, rules.label(name, said)) for name in measured]
    if one.ask == "point":
        choices = [("", texts("regles.none")), *outdoor]
    value, unit = given.get(one.name, ""), given.get(f"{one.name}_unit", "min")
    if not given and one.default is not None:
        value, unit = _default(one, texts)
    ask = "choice" if choices else {"integer": "number", "quantity": "choice", "point": "choice"}.get(one.ask, one.ask)
    return Asked(one.name, one.label[said], ask, value, unit, one.required, choices)


def _default(one: rules.Field, texts: Texts) -> tuple[str, str]:
    if one.ask == "duration":
        return duration(float(one.default), texts)
    if one.ask == "time":
        return str(one.default)[:5], ""
    if isinstance(one.default, float | int):
        return said_number(float(one.default), texts), ""
    return str(one.default), ""


def said_number(value: float, texts: Texts) -> str:
    """Return a number as a form shows it."""
    text = f"{value:.10g}"
    return text.replace(".", ",") if texts.language == "fr" else text


def duration(seconds: float, texts: Texts) -> tuple[str, str]:
    """Return a duration as a number and a unit, the largest that leaves it whole."""
    for unit in ("d", "h"):
        if seconds and seconds % UNITS_S[unit] == 0:
            return said_number(seconds / UNITS_S[unit], texts), unit
    return said_number(seconds / 60, texts), "min"


def values(kind: type[rules.Definition], given: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the definition that a filled form says, and the names of the fields that nobody can read."""
    found: dict[str, Any] = {}
    wrong = []
    for one in rules.fields(kind):
        text = given.get(one.name, "").strip()
        if not text:
            continue
        if one.ask in {"number", "integer", "duration", "point"}:
            number = number_of(text)
            if number is None:
                wrong.append(one.name)
                continue
            if one.ask == "duration":
                number *= UNITS_S.get(given.get(f"{one.name}_unit", "min"), 60.0)
            found[one.name] = int(number) if one.ask in {"integer", "point"} and number.is_integer() else number
        else:
            found[one.name] = text
    return found, wrong


def number_of(text: str) -> float | None:
    """Return a number as people type it, with a comma or a point; None for what is none."""
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    return None if _NUMBER.fullmatch(plain) is None else float(plain.replace(",", "."))


def filled(kind: type[rules.Definition], definition: Mapping[str, Any], texts: Texts) -> dict[str, str]:
    """Return a kept definition as a filled form says it."""
    found = {}
    for one in rules.fields(kind):
        value = definition.get(one.name, one.default)
        if value is None:
            continue
        if one.ask == "duration":
            found[one.name], found[f"{one.name}_unit"] = duration(float(value), texts)
        elif one.ask == "time":
            found[one.name] = str(value)[:5]
        elif isinstance(value, float | int):
            found[one.name] = said_number(float(value), texts)
        else:
            found[one.name] = str(value)
    return found


def complaint(kind: type[rules.Definition], error: str, texts: Texts) -> str:
    """Return what is wrong with a definition, by the labels of its fields."""
    said = language_of(texts)
    labels = {one.name: one.label[said] for one in rules.fields(kind)}
    first = error.splitlines()[0]
    if first.startswith("give one of "):
        names = first.removeprefix("give one of ").split(", ")
        return texts("regles.give_one", fields=", ".join(labels.get(name, name) for name in names))
    name = first.partition(":")[0]
    return texts("regles.check_field", field=labels[name]) if name in labels else texts("regles.impossible", why=first)
