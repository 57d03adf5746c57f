"""Rules as they are told, by the API and by pages: in words, with what they would have done."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from alerting import rules
from api.models import Answer, Resource
from domain.errors import NotFoundError
from store.alerting.rules import RuleRow

TARGETS: Final = ("point_id", "site_id", "tag", "gateway_id")  # a rule has one of them, or is of all points


class Rule(Resource):
    """What is watched. `sentence` says it in words; `firings` how often it would have fired, null before a backtest."""

    id: int
    name: str
    kind: str
    severity: str
    definition: dict[str, Any]
    point_id: int | None
    site_id: int | None
    tag: str | None
    gateway_id: int | None
    place: str
    sentence: str
    enabled: bool
    version: int
    firings: int | None
    open_alerts: int
    updated_at: datetime


class Firing(Answer):
    """One time that it would have fired."""

    place: str
    started_at: datetime
    ended_at: datetime | None
    degree: int
    sentence: str


class Curve(Answer):
    """What was measured at a point, to draw: the least and the greatest of each stretch of time."""

    place: str
    at: list[datetime]
    low: list[float]
    high: list[float]


class Backtest(Answer):
    """What a rule would have done. `per_day` counts by day (UTC); the first 50 `firings` are told."""

    summary: str
    since: datetime
    until: datetime
    subjects: int
    samples: int
    count: int
    per_day: dict[str, int]
    firings: list[Firing]
    curve: Curve | None


class Choice(Answer):
    """One of the values of a field."""

    value: str
    label: str


class FormField(Answer):
    """What a form asks for one member of `definition`. Durations are in seconds; `common`: every kind has it."""

    name: str
    label: str
    ask: str
    required: bool
    default: Any
    least: float | None
    most: float | None
    choices: list[Choice]
    common: bool


class RuleKind(Resource):
    """A kind of rule: what it is for, what to do when it fires, and its form."""

    kind: str
    title: str
    example: Annotated[str, Field(description="what a rule of the kind may say, in words")]
    advice: str
    subject: Annotated[str, Field(description="point, group or gateway: what one alert of it is about")]
    fields: list[FormField]


def what_of(found: RuleRow) -> rules.What:
    """Return what a rule is about."""
    return rules.What(found.place, points={int(number): name for number, name in json.loads(found.points).items()})


def rule_of(found: RuleRow, language: rules.Language) -> Rule:
    """Return a rule as it is told."""
    target = json.loads(found.target)
    definition = json.loads(found.definition)
    return Rule(
        id=found.rule_id,
        name=found.name,
        kind=found.kind,
        severity=found.severity,
        definition=definition,
        **{name: target.get(name) for name in TARGETS},
        place=found.place,
        sentence=rules.parse(found.kind, definition).sentence(what_of(found), language),
        enabled=found.enabled,
        version=found.version,
        firings=None if found.backtest is None else json.loads(found.backtest).get("count", 0),
        open_alerts=found.open_alerts,
        updated_at=found.updated_at,
    )


def backtest_of(found: RuleRow, language: rules.Language) -> Backtest:
    """Return what a rule would have done. Raises NotFoundError when this version was not tried."""
    if found.backtest is None:
        raise NotFoundError
    said = json.loads(found.backtest)
    definition = rules.parse(found.kind, json.loads(found.definition))
    since, until = datetime.fromisoformat(said["since"]), datetime.fromisoformat(said["until"])
    curve = said["curve"]
    return Backtest(
        summary=rules.would_have(said["count"], until - since, language),
        since=since,
        until=until,
        subjects=said["subjects"],
        samples=said["samples"],
        count=said["count"],
        per_day=said["per_day"],
        firings=[
            Firing(
                place=one["place"],
                started_at=_moment(one["started_s"]),
                ended_at=None if one["ended_s"] is None else _moment(one["ended_s"]),
                degree=one["degree"],
                sentence=definition.explain(one["reason"], language),
            )
            for one in said["firings"]
        ],
        curve=None
        if curve is None
        else Curve(
            place=curve["place"], at=[_moment(at_s) for at_s in curve["at_s"]], low=curve["low"], high=curve["high"]
        ),
    )


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def example_of(kind: type[rules.Definition], language: rules.Language) -> str:
    """Return what a rule of a kind may say."""
    return rules.parse(kind.KIND, kind.EXAMPLE).sentence(rules.What(""), language)


def kind_of(kind: type[rules.Definition], language: rules.Language) -> RuleKind:
    """Return a kind of rule as it is told."""
    return RuleKind(
        kind=kind.KIND,
        title=kind.TITLE[language],
        example=example_of(kind, language),
        advice=kind.ADVICE[language],
        subject=kind.SUBJECT,
        fields=[
            FormField(
                label=one.label[language],
                choices=[Choice(value=choice, label=rules.choice_label(choice, language)) for choice in one.choices],
                **{name: value for name, value in one._asdict().items() if name not in {"label", "choices"}},
            )
            for one in rules.fields(kind)
        ],
    )
