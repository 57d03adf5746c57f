"""How sites fare, and what is to be looked at, in words with an action for each. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from alerting import rules
from api.pages import words
from api.pages.texts import Texts
from store.reading.attention import Attention
from store.reading.seen import Seen
from store.reading.territory import Site

GOOD: Final = "good"
WATCH: Final = "watch"
BAD: Final = "bad"
NONE: Final = "none"
_GRAVITY: Final = (NONE, GOOD, WATCH, BAD)

_NAMED: Final = 3  # sensors named in one line
_UNKNOWN_PERIOD_LATE_S: Final = 25 * 3600  # most sensors give a sign of life once a day
_SHORTEST_LATE_S: Final = 3600
_MISSED_FRAMES: Final = 3  # radio loses one, sometimes two: the third in a row is news
_SILENCE: Final = "silent_sensor"


class Fleet(NamedTuple):
    """What is asked of the store, of a tenant."""

    sites: Sequence[Site]
    points: Sequence[Seen]
    open_now: Sequence[Attention]


class Item(NamedTuple):
    """One thing to look at: what, why, and what to do."""

    kind: str
    title: str
    detail: str
    action: str
    href: str
    since: str
    site_id: int | None


class Place(NamedTuple):
    """A site as lists and the map show it."""

    site_id: int
    name: str
    kind: str
    status: str
    status_words: str
    points: int
    latitude_deg: float | None
    longitude_deg: float | None
    href: str


def late_after_s(period_s: int | None) -> int:
    """Return after how many seconds of silence a point is worth a look, given its sensor's usual period."""
    if period_s is None:
        return _UNKNOWN_PERIOD_LATE_S
    return max(_MISSED_FRAMES * period_s, _SHORTEST_LATE_S)


def is_late(point: Seen, now: datetime) -> bool:
    """Say whether a point has been silent for too long. One that never spoke is not late: it is awaited."""
    return point.heard_at is not None and (now - point.heard_at).total_seconds() > late_after_s(point.period_s)


def items(fleet: Fleet, address: str, now: datetime, texts: Texts) -> list[Item]:
    """Return what is to be looked at, the gravest first. `address` is of the tenant's pages."""
    names = {site.site_id: site.name for site in fleet.sites}
    told = {one.point_id for one in fleet.open_now if one.rule_kind == _SILENCE}
    found = [_incident(one, names, address, now, texts) for one in _grave(fleet.open_now)]
    late = [point for point in fleet.points if is_late(point, now) and point.point_id not in told]
    return found + ([_silence(late, names, address, now, texts)] if late else [])


def _grave(open_now: Sequence[Attention]) -> list[Attention]:
    """Leave out what is for information: the page of alerts has it, and it asks for nothing."""
    return [one for one in open_now if one.severity != "info"]


def _incident(one: Attention, names: Mapping[int, str], address: str, now: datetime, texts: Texts) -> Item:
    language: rules.Language = "fr" if texts.language == "fr" else "en"
    definition = rules.parse(one.rule_kind, one.definition)
    where = [name for name in (names.get(one.site_id or 0), one.point_name) if name]
    href = address if one.site_id is None else f"{address}/sites/{one.site_id}"
    return Item(
        kind=BAD if one.severity == "critical" else WATCH,
        title=texts("fare.title", what=one.rule_name, where=", ".join(where)) if where else one.rule_name,
        detail=definition.explain(dict(one.reason), language),
        action=definition.ADVICE[language],
        href=href if one.point_id is None else f"{address}/points/{one.point_id}",
        since=words.age((now - one.started_at).total_seconds(), texts),
        site_id=one.site_id,
    )


def _silence(late: Sequence[Seen], names: Mapping[int, str], address: str, now: datetime, texts: Texts) -> Item:
    named = ", ".join(f"{point.name} ({names[point.site_id]})" for point in late[:_NAMED])
    if len(late) > _NAMED:
        named = texts.plural("tenant.and_more", len(late) - _NAMED, names=named)
    first = min(point.heard_at for point in late if point.heard_at is not None)
    return Item(
        kind=WATCH,
        title=texts.plural("fare.silent", len(late)),
        detail=named,
        action=texts("fare.silent_action"),
        href=f"{address}/points/{late[0].point_id}" if len(late) == 1 else f"{address}/sites",
        since=words.age((now - first).total_seconds(), texts),
        site_id=late[0].site_id if len(late) == 1 else None,
    )


def places(fleet: Fleet, address: str, now: datetime, texts: Texts) -> list[Place]:
    """Return the sites by name, each with how it fares."""
    counts: dict[int, int] = {}
    status: dict[int, str] = {}
    for point in fleet.points:
        counts[point.site_id] = counts.get(point.site_id, 0) + 1
        own = WATCH if is_late(point, now) else NONE if point.heard_at is None else GOOD
        status[point.site_id] = _graver(status.get(point.site_id, NONE), own)
    for one in _grave(fleet.open_now):
        if one.site_id is not None:
            own = BAD if one.severity == "critical" else WATCH
            status[one.site_id] = _graver(status.get(one.site_id, NONE), own)
    found = []
    for site in sorted(fleet.sites, key=lambda site: words.sort_key(site.name)):
        kind = status.get(site.site_id, NONE)
        found.append(
            Place(
                site_id=site.site_id,
                name=site.name,
                kind=site_kind(site.kind, texts),
                status=kind,
                status_words=texts(f"fare.{kind}"),
                points=counts.get(site.site_id, 0),
                latitude_deg=site.latitude_deg,
                longitude_deg=site.longitude_deg,
                href=f"{address}/sites/{site.site_id}",
            )
        )
    return found


def site_kind(kind: str, texts: Texts) -> str:
    """Return what a site is: "École"; nothing for one that nobody said, the word itself for one that we do not know."""
    key = f"place.{kind}"
    return "" if kind == "other" else texts(key) if texts.has(key) else kind


def _graver(one: str, other: str) -> str:
    return max(one, other, key=_GRAVITY.index)
