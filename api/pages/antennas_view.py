"""Antennas as supervisors read them: their state, their day in bars, the worst first. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import quote

from api.pages import network_words, words
from api.pages.texts import Texts
from store.supervision.antennas import Antenna, Served

HOURS: Final = 24
OFFLINE, DEGRADED, NEVER, ONLINE = "offline", "degraded", "never", "online"
ORDER: Final = (OFFLINE, DEGRADED, NEVER, ONLINE)
KINDS: Final = {OFFLINE: "bad", DEGRADED: "watch", NEVER: "none", ONLINE: "good"}

_OFFLINE_AFTER: Final = timedelta(minutes=30)
_LATE_AFTER: Final = timedelta(minutes=10)
_REFUSED_SHARE: Final = 0.1
_REFUSED_LEAST: Final = 10
_HOUR: Final = timedelta(hours=1)
_WIDTH: Final = 10  # of an hour, with the gap after it
_NAMED: Final = 5


class State(NamedTuple):
    """How an antenna does, and why it is degraded: `late`, `holes`, `refused`, else ''."""

    name: str
    why: str
    holes: int


class Bars(NamedTuple):
    """24 hours as two paths of an SVG 239 wide and 20 high, and how many hours were heard of how many."""

    heard: str
    missing: str
    hours: int
    of: int


class Line(NamedTuple):
    """One antenna of the list."""

    href: str
    name: str
    kind: str
    state: str
    seen: str
    bars: Bars
    bars_words: str
    touched: str


def first_hour(now: datetime) -> datetime:
    """Return the beginning of the first of the last 24 hours, the one that runs included."""
    return now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _HOUR


def is_away(heard_at: datetime | None, now: datetime) -> bool:
    """Say whether an antenna that was heard last then says nothing any more."""
    return heard_at is None or now - heard_at > _OFFLINE_AFTER


def state(antenna: Antenna, now: datetime) -> State:
    """Return how an antenna does: silent for half an hour, it is offline; with holes in its day, degraded."""
    if antenna.heard_at is None:
        return State(NEVER, "", 0)
    holes = _holes(antenna)
    if is_away(antenna.heard_at, now):
        return State(OFFLINE, "", holes)
    if now - antenna.heard_at > _LATE_AFTER:
        return State(DEGRADED, "late", holes)
    if holes:
        return State(DEGRADED, "holes", holes)
    if antenna.asked >= _REFUSED_LEAST and antenna.asked - antenna.sent > _REFUSED_SHARE * antenna.asked:
        return State(DEGRADED, "refused", 0)
    return State(ONLINE, "", 0)


def _holes(antenna: Antenna) -> int:
    """Return the whole hours without a status, of those since the first. None where no status is ever sent."""
    first = (antenna.told & -antenna.told).bit_length() - 1 if antenna.told else HOURS
    return sum(not antenna.told >> place & 1 for place in range(first, HOURS - 1))


def bars(antenna: Antenna) -> Bars:
    """Return the last 24 hours of an antenna: high where it told its status, low where it did not."""
    heard, missing = [], []
    for place in range(HOURS):
        left = place * _WIDTH
        if antenna.told >> place & 1:
            heard.append(f"M{left} 0h9v20h-9z")
        else:
            missing.append(f"M{left} 16h9v4h-9z")
    return Bars("".join(heard), "".join(missing), len(heard), HOURS)


def called(antenna: Antenna) -> str:
    """Return what people know an antenna by."""
    return antenna.name or antenna.gateway_eui


def worst_first(antennas: Iterable[Antenna], now: datetime) -> list[tuple[Antenna, State]]:
    """Return antennas with their states: offline first, and among those the one that takes most sensors with it."""
    judged = [(one, state(one, now)) for one in antennas]
    return sorted(
        judged, key=lambda pair: (ORDER.index(pair[1].name), -pair[0].alone, -pair[0].devices, called(pair[0]))
    )


def line(antenna: Antenna, judged: State, served: Sequence[Served], now: datetime, texts: Texts) -> Line:
    """Return what the list says of an antenna; `served` are the tenants that it hears."""
    drawn = bars(antenna)
    return Line(
        href=f"/reseau/antennes/{quote(antenna.gateway_eui, safe='')}",
        name=called(antenna),
        kind=KINDS[judged.name],
        state=state_words(judged, texts),
        seen=seen_words(antenna, now, texts),
        bars=drawn,
        bars_words=texts("net.bars", hours=drawn.hours, of=drawn.of),
        touched=touched(antenna, judged, served, texts),
    )


def state_words(judged: State, texts: Texts) -> str:
    """Return a state in words, with why."""
    if judged.why == "holes":
        return texts.plural("net.state.holes", judged.holes)
    return texts(f"net.state.{judged.why or judged.name}")


def seen_words(antenna: Antenna, now: datetime, texts: Texts) -> str:
    """Return when it was heard last."""
    if antenna.heard_at is None:
        return texts("net.never_heard")
    return texts("net.heard", ago=words.age(max((now - antenna.heard_at).total_seconds(), 0), texts))


def touched(antenna: Antenna, judged: State, served: Sequence[Served], texts: Texts) -> str:
    """Return which communes an antenna serves; of one that is away, those that it leaves without any other."""
    if not antenna.devices:
        return texts("net.serves_none")
    if judged.name == ONLINE:
        return texts("net.serves", devices=network_words.count(antenna.devices, texts), communes=len(served))
    cut = [one for one in served if one.alone]
    if not cut:
        return texts("net.cuts_none", devices=network_words.count(antenna.devices, texts))
    named = ", ".join(texts("net.cut_one", name=one.name, alone=one.alone) for one in cut[:_NAMED])
    more = texts.plural("net.cut_more", len(cut) - _NAMED) if len(cut) > _NAMED else ""
    return texts("net.cuts", communes=named + more)


def summary(judged: Sequence[tuple[Antenna, State]], texts: Texts) -> str:
    """Return the network in a sentence."""
    counted = tally(judged)
    if not judged:
        return texts("net.none")
    if counted[ONLINE] == len(judged):
        return texts("net.all_online", n=len(judged))
    parts = [texts.plural(f"net.count.{name}", counted[name]) for name in ORDER if counted[name]]
    return texts("net.summary", parts=", ".join(parts))


def tally(judged: Sequence[tuple[Antenna, State]]) -> Mapping[str, int]:
    """Return how many antennas are in each state."""
    return {name: sum(found.name == name for _, found in judged) for name in ORDER}


def by_gateway(served: Iterable[Served]) -> dict[int, list[Served]]:
    """Return tenants by the antenna that serves them."""
    found: dict[int, list[Served]] = {}
    for one in served:
        found.setdefault(one.gateway_id, []).append(one)
    return found
