"""What an evaluation adds to the record, and the one thing it has to tell. Pure.

A step gives all transitions since the moment it began from. Most are known already; some are new; and when a late
sample made it begin from further back, some that were recorded did not happen after all. People are told what is so
now, never what was so meanwhile: at most one message comes of an evaluation.
"""

import uuid
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from alerting.rules._base import NEVER, Figures
from alerting.states import FIRING, FLAPPING, RESOLVED, State, Transition

Kind = Literal["firing", "raised", "flapping", "resolved", "withdrawn"]
WITHDRAWN: Final = "withdrawn"

_NAMES: Final = uuid.UUID("6f0a3c1e-6d0b-5c58-9d43-2f3f5b1d7a10")  # of Samara's alerts


class Known(NamedTuple):
    """A transition that is recorded already, and not superseded."""

    transition_id: int
    at_s: float
    before: str
    after: str


class Alert(NamedTuple):
    """One firing. `ended_s` NEVER: it goes on."""

    alert_id: uuid.UUID
    started_s: float
    ended_s: float
    degree: int
    phase: str
    told: bool
    reason: Figures


class Telling(NamedTuple):
    """What people are to be told: of which alert.

    `transition` is its place among the new ones, None where no measurement made it: an alert that is withdrawn, or one
    that late measurements show to go on since a moment that was recorded already.
    """

    kind: Kind
    alert_id: uuid.UUID
    message_id: uuid.UUID
    transition: int | None


class Record(NamedTuple):
    """What one evaluation writes. A new transition comes with the alert that it belongs to, None where it has none."""

    new: list[tuple[Transition, uuid.UUID | None]]
    vanished: list[int]
    alerts: list[Alert]  # new, or changed
    open_alert: uuid.UUID | None
    telling: Telling | None


class _Interval(NamedTuple):
    start_s: float
    end_s: float
    degree: int
    phase: str
    reason: Figures


def record(
    subject: str,
    state: State,
    transitions: Sequence[Transition],
    known: Sequence[Known],
    alerts: Sequence[Alert],
    *,
    begun_from: tuple[float, int],
    now_s: float,
) -> Record:
    """Compare what a step gave with what is recorded since the moment it began from.

    `subject` names rule and subject: alerts are numbered by it. `begun_from` is the open alert's start (NEVER: none)
    and degree at that moment. `known` and `alerts` are those that are recorded since then, the open ones included,
    in the order of time.
    """
    intervals = _intervals(transitions, begun_from, state)
    matched = _matched(subject, intervals, alerts)
    found = {(_us(one.at_s), one.before, one.after): one.transition_id for one in known}
    new = [
        (one, _belongs_to(one, intervals, matched))
        for one in transitions
        if found.pop((_us(one.at_s), one.before, one.after), None) is None
    ]
    known_alerts = {one.alert_id: one for one in alerts}
    kept = {one.alert_id for one in matched}
    withdrawn = [
        one._replace(phase=WITHDRAWN, ended_s=min(one.ended_s, now_s))
        for one in alerts
        if one.alert_id not in kept and one.phase != WITHDRAWN
    ]
    opened = next((one for one in matched if one.ended_s == NEVER), None)
    before = next((one for one in alerts if one.ended_s == NEVER), None)
    told = _tell(before, opened, [*matched, *withdrawn])
    telling = None
    if told is not None:
        kind, alert = told
        telling = Telling(kind, alert.alert_id, _message_id(alert, kind, now_s), _place(new, kind, alert))
    changed = [
        one._replace(told=one.told or one is opened)
        for one in [*matched, *withdrawn]
        if known_alerts.get(one.alert_id) != one
    ]
    return Record(new, list(found.values()), changed, opened.alert_id if opened else None, telling)


def _us(at_s: float) -> int:
    """Return whole microseconds: as exactly as a database keeps a moment."""
    return round(at_s * 1e6)


def _intervals(transitions: Sequence[Transition], begun_from: tuple[float, int], state: State) -> list[_Interval]:
    """Return the firings, from first to last."""
    found: list[_Interval] = []
    start_s, degree = begun_from
    if start_s != NEVER:
        found.append(_Interval(start_s, NEVER, degree, FIRING, {}))
    for one in transitions:
        if one.alert_s == NEVER:
            continue
        if not found or found[-1].start_s != one.alert_s:
            found.append(_Interval(one.alert_s, NEVER, one.degree, one.after, one.reason))
        last = found[-1]
        ended = one.after == RESOLVED
        found[-1] = last._replace(
            end_s=one.at_s if ended else NEVER, degree=max(last.degree, one.degree), phase=one.after
        )
    if found and found[-1].end_s == NEVER:
        found[-1] = found[-1]._replace(phase=state.phase)
    return found


def _matched(subject: str, intervals: Sequence[_Interval], alerts: Sequence[Alert]) -> list[Alert]:
    """Give each firing the alert that it is: the one numbered by its start, else one that overlaps it, or a new one."""
    numbers = [uuid.uuid5(_NAMES, f"{subject}/{one.start_s:.6f}") for one in intervals]
    left = {one.alert_id: one for one in alerts if one.phase != WITHDRAWN}
    numbered = {number: left.pop(number) for number in numbers if number in left}
    found = []
    for number, one in zip(numbers, intervals, strict=True):
        same = numbered.get(number) or next((alert for alert in left.values() if _overlap(alert, one)), None)
        if same is not None:
            left.pop(same.alert_id, None)
            found.append(
                same._replace(
                    started_s=one.start_s,
                    ended_s=one.end_s,
                    degree=one.degree,
                    phase=one.phase,
                    reason=same.reason or one.reason,
                )
            )
        else:
            found.append(Alert(number, one.start_s, one.end_s, one.degree, one.phase, False, one.reason))  # noqa: FBT003
    return found


def _overlap(alert: Alert, one: _Interval) -> bool:
    return alert.started_s <= one.end_s and one.start_s <= alert.ended_s


def _belongs_to(one: Transition, intervals: Sequence[_Interval], matched: Sequence[Alert]) -> uuid.UUID | None:
    for interval, alert in zip(intervals, matched, strict=True):
        if interval.start_s == one.alert_s:
            return alert.alert_id
    return None


def _tell(before: Alert | None, opened: Alert | None, alerts: Sequence[Alert]) -> tuple[Kind, Alert] | None:
    if opened is not None:
        if before is None or before.alert_id != opened.alert_id:
            return ("flapping" if opened.phase == FLAPPING else "firing"), opened
        if opened.phase == FLAPPING and before.phase != FLAPPING:
            return "flapping", opened
        return ("raised", opened) if opened.degree > before.degree else None
    if before is None:
        return None
    after = next(one for one in alerts if one.alert_id == before.alert_id)
    return ("withdrawn" if after.phase == WITHDRAWN else "resolved"), after


def _place(new: Sequence[tuple[Transition, uuid.UUID | None]], kind: Kind, alert: Alert) -> int | None:
    """Return which of the new transitions a message speaks of: the last one of its alert that says the same."""
    wanted = {"firing": FIRING, "raised": FIRING, "flapping": FLAPPING, "resolved": RESOLVED}.get(kind)
    for place in range(len(new) - 1, -1, -1):
        transition, alert_id = new[place]
        if alert_id == alert.alert_id and transition.after == wanted:
            return place
    return None


def _message_id(alert: Alert, kind: Kind, now_s: float) -> uuid.UUID:
    return uuid.uuid5(_NAMES, f"{alert.alert_id}/{kind}/{now_s:.6f}")
