"""What pages say of incidents: what is wrong, where, since when, what to do, and what was done about it. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from alerting import rules
from api.pages import words
from api.pages.texts import Texts
from store.delivery.reading import Firing, Happening, Incident, Summary
from store.delivery.silences import Silence

_STATUS: Final = {"critical": "bad", "warning": "watch", "info": "none"}


class Status(NamedTuple):
    """How bad it is: the kind of the sign, and the words beside it."""

    kind: str
    words: str


class Line(NamedTuple):
    """An incident in a list."""

    href: str
    title: str
    sentence: str
    when: str
    who: str
    status: Status


class Alarm(NamedTuple):
    """One alert of an incident, in words."""

    place: str
    sentence: str
    when: str


class Event(NamedTuple):
    """One thing that happened, and when."""

    when: str
    words: str
    note: str


class Muted(NamedTuple):
    """Of what nothing is told for now."""

    silence_id: int
    words: str
    reason: str


def _language(texts: Texts) -> rules.Language:
    return "en" if texts.language == "en" else "fr"


def gravest_first(found: Sequence[Summary]) -> list[Summary]:
    """Return what is open in the order in which to look at it: the gravest first, then the newest."""
    return sorted(found, key=lambda one: (list(_STATUS).index(one.severity), -one.incident_id))


def lines(found: Sequence[Summary], address: str, now: datetime, zone: ZoneInfo, texts: Texts) -> list[Line]:
    """Return the lines of a list; `address` is that of the list."""
    return [
        Line(
            href=f"{address}/{one.incident_id}",
            title=title(one.cause, one.rule_name, one.point_name, one.site_name, one.gateway_name, texts=texts),
            sentence=_first_sentence(one, texts),
            when=when(one.began_at, one.closed_at, now, zone, texts),
            who=_who(one.assigned_to, one.acknowledged_by, texts) if one.closed_at is None else "",
            status=status(one.severity, one.closed_at, texts),
        )
        for one in found
    ]


def title(
    cause: str,
    rule: str | None,
    point: str | None,
    site: str | None,
    gateway: str | None,
    *,
    texts: Texts,
) -> str:
    """Return what an incident is called: what is wrong, then where."""
    if gateway is not None or cause.startswith("gateway:"):
        return texts("alertes.gateway", name=gateway or "?")
    if cause == "network":
        return texts("alertes.network")
    where = ", ".join(part for part in (site, point) if part)
    return texts("alertes.title_at", what=rule or "?", where=where) if where else rule or "?"


def _first_sentence(one: Summary, texts: Texts) -> str:
    if one.rule_kind is None or one.definition is None or one.reason is None or one.gateway_name is not None:
        return ""
    said = _explained(one.rule_kind, json.loads(one.definition), json.loads(one.reason), texts)
    if one.alerts > 1:
        said = f"{said} {texts.plural('alertes.others', one.alerts - 1)}"
    return said


def _explained(kind: str, definition: Mapping[str, Any], reason: Mapping[str, Any], texts: Texts) -> str:
    return rules.parse(kind, definition).explain(dict(reason), _language(texts))


def status(severity: str, closed: datetime | None, texts: Texts) -> Status:
    """Return how bad an incident is, or that it is over."""
    if closed is not None:
        return Status("good", texts("alertes.over"))
    return Status(_STATUS[severity], texts(f"alertes.severity.{severity}"))


def when(began: datetime, closed: datetime | None, now: datetime, zone: ZoneInfo, texts: Texts) -> str:
    """Return since when it goes on, or when it was and for how long."""
    since = words.moment(began, zone, "minute", texts, now)
    if closed is None:
        lasting = words.lasting((now - began).total_seconds(), texts)
        return texts("alertes.since", moment=since, lasting=lasting)
    return texts("alertes.lasted", moment=since, lasting=words.lasting((closed - began).total_seconds(), texts))


def _who(assigned: str | None, acknowledged: str | None, texts: Texts) -> str:
    if assigned:
        return texts("alertes.assigned", who=assigned)
    return texts("alertes.cared", who=acknowledged) if acknowledged else ""


def summary(found: Sequence[Summary], texts: Texts, *, is_more: bool = False) -> str:
    """Return in one sentence how many go on, and of how many somebody takes care; `is_more`: these are not all."""
    if not found:
        return texts("alertes.none_open")
    said = texts("alertes.open_more", n=len(found)) if is_more else texts.plural("alertes.open", len(found))
    cared = sum(1 for one in found if one.acknowledged_by or one.assigned_to)
    return f"{said} {texts.plural('alertes.of_which_cared', cared)}" if cared else said


def alarms(found: Incident, now: datetime, texts: Texts) -> list[Alarm]:
    """Return the alerts of an incident."""
    return [_alarm(one, now, texts) for one in found.firings]


def _alarm(one: Firing, now: datetime, texts: Texts) -> Alarm:
    zone = ZoneInfo(one.time_zone)
    return Alarm(
        place=", ".join(part for part in (one.point_name, one.site_name) if part) or one.rule_name,
        sentence=_explained(one.rule_kind, one.definition, one.reason, texts),
        when=when(one.started_at, one.ended_at, now, zone, texts),
    )


def advice(found: Incident, texts: Texts) -> list[str]:
    """Return what to do, once for each kind of rule."""
    kinds = dict.fromkeys(one.rule_kind for one in found.firings)
    return [rules.kinds()[kind].ADVICE[_language(texts)] for kind in kinds if kind in rules.kinds()]


def events(found: Sequence[Happening], zone: ZoneInfo, texts: Texts) -> list[Event]:
    """Return what happened to an incident, in order; what nobody needs to read is left out."""
    told = []
    for one in found:
        at, key = words.moment(one.at, zone, "minute", texts), f"alertes.event.{one.kind}"
        if one.kind == "told":
            count = int(one.note)
            told.append(Event(at, texts.plural("alertes.event_told", count) if count else texts("alertes.nobody"), ""))
        elif texts.has(key):
            note = one.note if one.kind in {"acknowledged", "assigned", "commented", "undelivered"} else ""
            told.append(Event(at, texts(key, who=one.who), note))
    return told


def muted(found: Sequence[Silence], names: Mapping[tuple[str, int], str], zone: ZoneInfo, texts: Texts) -> list[Muted]:
    """Return what is muted; `names` are what rules, sites and points are called, by ("rule", id)."""
    said = []
    for one in found:
        of = [("rule", one.rule_id), ("point", one.point_id), ("site", one.site_id)]
        known = [names[kind, number] for kind, number in of if number is not None and (kind, number) in names]
        what = ", ".join(known) or texts("alertes.muted_all")
        until = words.moment(one.until, zone, "minute", texts)
        told = texts("alertes.muted_until", what=what, until=until, who=one.created_by)
        said.append(Muted(one.silence_id, told, one.reason))
    return said
