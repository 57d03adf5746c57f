"""What the page of a point shows beside its chart: levels, events, history. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from alerting import rules
from api.latest import unit_of
from api.pages import view, words
from api.pages.ranges import Range
from api.pages.texts import Texts
from api.units import Written, written
from store.reading.point import Fired, Measurer, Watched

_DATED: Final = "%Y-%m-%d"


class Shown(NamedTuple):
    """The quantity shown: as `view.Value`, but it may have no present value."""

    key: str
    label: str
    unit: str
    written: Written
    states: str


class Level(NamedTuple):
    """A level that a rule watches, drawn as a line."""

    value: float
    label: str


class Event(NamedTuple):
    """Something that happened: drawn from `start_s` to `end_s` (Unix time), and told in a list."""

    start_s: float
    end_s: float
    kind: str
    when: str
    title: str
    detail: str


class Held(NamedTuple):
    """A device that measures the point, or did."""

    name: str
    dev_eui: str
    model: str
    during: str
    is_present: bool


def value(card: view.Card, quantity: str, channel: int, texts: Texts) -> Shown:
    """Return how the quantity is named and written."""
    for one in card.values:
        if (one.quantity, one.channel) == (quantity, channel):
            return Shown(one.key, one.label, words.unit(one.written, texts), one.written, one.states)
    how = written(quantity, unit_of(quantity))
    label = view.label(quantity, channel, texts, numbered=False)
    return Shown(
        f"{card.point_id}:{quantity}:{channel}", label, words.unit(how, texts), how, view.states_json(quantity, texts)
    )


def dates(shown: Range, zone: ZoneInfo) -> tuple[str, str]:
    """Return the first and the last day of a period, as a field of a form has them."""
    last = shown.end - timedelta(seconds=1)
    return f"{shown.start.astimezone(zone):{_DATED}}", f"{last.astimezone(zone):{_DATED}}"


def levels(watched: Sequence[Watched], quantity: str, channel: int, texts: Texts) -> list[Level]:
    """Return the levels that rules watch of this quantity, each once."""
    found: dict[float, Level] = {}
    how = written(quantity, unit_of(quantity))
    for one in watched:
        definition = rules.parse(one.kind, one.definition)
        if any((own.quantity, own.channel) == (quantity, channel) for own in definition.series()):
            for level in definition.levels():
                said = words.quantity(level, how, texts)
                found.setdefault(level, Level(level, texts("detail.level", name=one.name, value=said)))
    return list(found.values())


def sentence(one: Watched, texts: Texts) -> str:
    """Return what a rule watches: its name, and its condition in words."""
    language: rules.Language = "fr" if texts.language == "fr" else "en"
    said = rules.parse(one.kind, one.definition).condition(language)
    return texts("detail.level", name=one.name, value=said)


def of_point(watched: Sequence[Watched], quantities: Collection[str]) -> list[Watched]:
    """Return the rules about what a point measures, and those about none: of its site, others watch other things."""
    found = []
    for one in watched:
        about = {own.quantity for own in rules.parse(one.kind, one.definition).series()} - {rules.HEARD}
        if not about or about & set(quantities):
            found.append(one)
    return found


def of_quantity(fired: Sequence[Fired], quantity: str) -> list[Fired]:
    """Return the alerts about a quantity, and those about none: silence, say."""
    found = []
    for one in fired:
        about = {own.quantity for own in rules.parse(one.rule_kind, one.definition).series()} - {rules.HEARD}
        if not about or quantity in about:
            found.append(one)
    return found


def events(
    fired: Sequence[Fired], measurers: Sequence[Measurer], span: Range, zone: ZoneInfo, texts: Texts
) -> list[Event]:
    """Return the alerts and the replacements of a period, the newest first."""
    language: rules.Language = "fr" if texts.language == "fr" else "en"
    found = []
    for one in fired:
        end = span.end if one.ended_at is None else min(one.ended_at, span.end)
        began = words.moment(one.started_at, zone, "minute", texts, span.end)
        when = (
            texts("event.since", start=began)
            if one.ended_at is None
            else texts(
                "event.lasted",
                start=began,
                lasting=words.lasting((one.ended_at - one.started_at).total_seconds(), texts),
            )
        )
        definition = rules.parse(one.rule_kind, one.definition)
        kind = "bad" if one.severity == "critical" else "watch"
        start_s = max(one.started_at, span.start).timestamp()
        found.append(
            Event(start_s, end.timestamp(), kind, when, one.rule_name, definition.explain(dict(one.reason), language))
        )
    for device in measurers:
        if device.since is not None and span.start <= device.since < span.end:
            at_s = device.since.timestamp()
            when = words.moment(device.since, zone, "minute", texts, span.end)
            found.append(Event(at_s, at_s, "none", when, texts("event.replaced"), device.name or device.dev_eui))
    return sorted(found, key=lambda event: event.start_s, reverse=True)


def history(measurers: Sequence[Measurer], zone: ZoneInfo, texts: Texts) -> list[Held]:
    """Return the devices of a point, the present one first."""
    return [
        Held(
            name=one.name or one.dev_eui,
            dev_eui=one.dev_eui.upper(),
            model=" ".join(part for part in (one.vendor, one.model) if part),
            during=_during(one.since, one.until, zone, texts),
            is_present=one.until is None,
        )
        for one in measurers
    ]


def _during(since: datetime | None, until: datetime | None, zone: ZoneInfo, texts: Texts) -> str:
    def day(at: datetime) -> str:
        return words.day(at.astimezone(zone).date(), texts)

    if since is None:
        return texts("history.always") if until is None else texts("history.until", end=day(until))
    return (
        texts("history.since", start=day(since))
        if until is None
        else texts("history.span", start=day(since), end=day(until))
    )
