"""What a rule would have done: the same evaluation over what is stored. Always before a rule is enabled."""

import asyncio
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from alerting.past import Past, Read, while_reading
from alerting.rules import Calendar, Definition, Language, OpeningHours, RuleError, Surroundings
from alerting.rules import _words as words
from alerting.rules._base import NEVER, Figures
from alerting.rules.silent_gateway import SilentGateway
from alerting.states import RESOLVED, Rule, Sample, Transition
from alerting.step import initial, step
from alerting.targets import TargetModel, quantities_of
from store.alerting.history import History, gateway_names, gateways_history
from store.alerting.subjects import Place, gateways_of, places, points_of

DAYS: Final = 90
GATEWAY_DAYS: Final = 30  # of gateways, of which there is no series: it is gathered from what they said and relayed
MAX_POINTS: Final = 500  # of one backtest
CHART_POINTS: Final = 400
SHOWN: Final = 50


class Firing(NamedTuple):
    """One time that it would have fired. `ended_s` NEVER: it goes on at the end."""

    place: str
    started_s: float
    ended_s: float
    degree: int
    reason: Figures


class Curve(NamedTuple):
    """A series to draw: least and greatest value of each stretch of time."""

    place: str
    at_s: list[float]
    low: list[float]
    high: list[float]


class Backtest(NamedTuple):
    """What would have happened from `since` to `until`. `curve` is of the point that fired first, else of the first."""

    since: datetime
    until: datetime
    subjects: int
    samples: int
    firings: list[Firing]
    curve: Curve | None


def firings(place: str, transitions: Iterable[Transition], since_s: float) -> list[Firing]:
    """Return the alerts that some transitions make, those that went on after `since_s`."""
    found: dict[float, Firing] = {}
    for one in transitions:
        if one.alert_s == NEVER:
            continue
        known = found.get(one.alert_s, Firing(place, one.alert_s, NEVER, one.degree, one.reason))
        ended_s = one.at_s if one.after == RESOLVED else NEVER
        found[one.alert_s] = known._replace(ended_s=ended_s, degree=max(known.degree, one.degree))
    return [one for one in found.values() if one.ended_s > since_s]


async def backtest(
    connection: asyncpg.Connection,
    tenant_id: int,
    definition: Definition,
    target: TargetModel,
    *,
    now: datetime,
    days: int = DAYS,
) -> Backtest:
    """Evaluate a rule over the last days of every point that it speaks of.

    Reads as many days before as the rule looks back. Raises RuleError when the target has more points or samples than
    one backtest may read.
    """
    since = now - timedelta(days=days)
    if isinstance(definition, SilentGateway):
        return await _of_gateways(connection, tenant_id, definition, target, now=now, days=days)
    points = await points_of(connection, tenant_id, target.target(), quantities_of(definition))
    if len(points) > MAX_POINTS:
        raise RuleError(f"{len(points)} points; a backtest reads {MAX_POINTS} at most: name a site or a tag")
    around = await places(connection, [one.point_id for one in points])
    past = Past(connection, definition, since - timedelta(seconds=definition.WARM_UP_S), now)
    if definition.SUBJECT == "group":
        return await _of_group(past, around, since, now)
    found: list[Firing] = []
    curve: Curve | None = None

    def evaluated(portion: Sequence[Read]) -> tuple[list[Firing], Curve]:
        return _of_points(definition, portion, since, now)

    async for fired, drawn in while_reading(past.portions(around), evaluated):
        if curve is None or (fired and not found):
            curve = drawn
        found += fired
    found.sort(key=lambda one: one.started_s)
    return Backtest(since, now, len(around), past.count, found, curve)


def _of_points(
    definition: Definition, portion: Sequence[Read], since: datetime, now: datetime
) -> tuple[list[Firing], Curve]:
    """Return the alerts of some points, and the curve of the one that fired first, else of the first."""
    found: list[Firing] = []
    drawn = portion[0]
    for one in portion:
        rule = Rule(definition, _surroundings(one.place))
        transitions = step(rule, initial(rule), one.samples(), now.timestamp()).transitions
        fired = firings(_name(one.place), transitions, since.timestamp())
        if fired and not found:
            drawn = one
        found += fired
    return found, _curve(_name(drawn.place), drawn.parts[0], since.timestamp())


async def _of_gateways(
    connection: asyncpg.Connection,
    tenant_id: int,
    definition: SilentGateway,
    target: TargetModel,
    *,
    now: datetime,
    days: int,
) -> Backtest:
    since = now - timedelta(days=min(days, GATEWAY_DAYS))
    gateway_ids = await gateways_of(connection, tenant_id, target.target())
    names = await gateway_names(connection, gateway_ids)
    heard = await gateways_history(
        connection,
        gateway_ids,
        since=since - timedelta(seconds=definition.limit_s),
        until=now,
        stretch=timedelta(seconds=definition.limit_s),
    )
    rule, found = Rule(definition), []
    for gateway_id, times in heard.items():
        samples = zip(times, repeat(0), repeat(0.0), strict=False)
        transitions = await _transitions(rule, samples, now)
        found += firings(names[gateway_id], transitions, since.timestamp())
    found.sort(key=lambda one: one.started_s)
    return Backtest(since, now, len(gateway_ids), sum(map(len, heard.values())), found, None)


async def _of_group(past: Past, around: Sequence[Place], since: datetime, now: datetime) -> Backtest:
    if not around:
        return Backtest(since, now, 0, 0, [], None)
    samples: list[Sample] = []
    read = [one async for portion in past.portions(around) for one in portion]
    for number, one in enumerate(read):
        samples += zip(one.parts[0].at_s, repeat(number), one.parts[0].readings, strict=False)
    samples.sort()
    rule = Rule(past.definition, _surroundings(around[0])._replace(members=len(around)))
    transitions = await _transitions(rule, samples, now)
    found = firings(around[0].site, transitions, since.timestamp())
    curve = _curve(_name(around[0]), read[0].parts[0], since.timestamp())
    return Backtest(since, now, 1, past.count, found, curve)


async def _transitions(rule: Rule, samples: Iterable[Sample], now: datetime) -> list[Transition]:
    """Evaluate beside the event loop: a million samples take seconds, and others are waiting."""
    return (await asyncio.to_thread(step, rule, initial(rule), samples, now.timestamp())).transitions


def _surroundings(place: Place) -> Surroundings:
    zone = ZoneInfo(place.zone)
    hours = None if place.calendar is None else OpeningHours.model_validate_json(place.calendar)
    return Surroundings(zone, None if hours is None else Calendar(hours, zone), place.period_s)


def _name(place: Place) -> str:
    return f"{place.point}, {place.site}"


def _curve(place: str, series: History, since_s: float) -> Curve:
    times, values = series
    begin = bisect_left(times, since_s)
    count = len(times) - begin
    width = max(1, -(-count // CHART_POINTS))
    stretches = range(begin, len(times), width)
    return Curve(
        place,
        [times[number] for number in stretches],
        [min(values[number : number + width]) for number in stretches],
        [max(values[number : number + width]) for number in stretches],
    )


def summary(found: Backtest, definition: Definition, zone: ZoneInfo, language: Language) -> str:
    """Return it in words: how often, when, for how long."""
    head = words.would_have(len(found.firings), found.until - found.since, language)
    if not found.firings:
        return head + "."
    lines = [_line(one, definition, zone, language) for one in found.firings[:SHOWN]]
    if len(found.firings) > SHOWN:
        lines.append("…")
    return head + (" :\n" if language == "fr" else ":\n") + "\n".join(lines)


def _line(one: Firing, definition: Definition, zone: ZoneInfo, language: Language) -> str:
    if one.ended_s == NEVER:
        lasting = "encore en cours" if language == "fr" else "still going on"
    else:
        lasting = words.lasting(one.ended_s - one.started_s, language)
    why = definition.explain(one.reason, language)
    return f"- {words.moment(one.started_s, zone, language)} ({lasting}), {one.place}. {why}"


def as_json(found: Backtest) -> dict[str, Any]:
    """Return it as plain JSON, for the rule's record and a page's chart. Times are epoch seconds."""
    per_day = Counter(datetime.fromtimestamp(one.started_s, UTC).date().isoformat() for one in found.firings)
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "subjects": found.subjects,
        "samples": found.samples,
        "count": len(found.firings),
        "per_day": dict(sorted(per_day.items())),
        "firings": [
            {
                "place": one.place,
                "started_s": one.started_s,
                "ended_s": None if one.ended_s == NEVER else one.ended_s,
                "degree": one.degree,
                "reason": one.reason,
            }
            for one in found.firings[:SHOWN]
        ],
        "curve": None if found.curve is None else found.curve._asdict(),
    }


def as_text(found: Backtest) -> str:
    """Return `as_json` as text."""
    return json.dumps(as_json(found), allow_nan=False)
