"""What an evaluation found, as the rows that are written. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from alerting.record import Record
from alerting.rules._base import NEVER
from alerting.state_json import dump_machine
from alerting.states import INACTIVE, RESOLVED, Stepped
from alerting.watched import Watched
from store.alerting.recording import Findings, StateUpdate
from store.alerting.work import StateRow

GATEWAYS_EVERY: Final = timedelta(minutes=1)
_FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_json = msgspec.json.Encoder()


def findings_of(rows: Sequence[StateRow], records: Mapping[int, Record], severities: Mapping[int, str]) -> Findings:
    """Return the transitions, alerts and messages of some states; `severities` are of their rules."""
    findings = Findings([], [], [], [])
    for row in rows:
        made = records.get(row.state_id)
        if made is not None:
            _add(findings, row, made, severities[row.state_id])
    return findings


def _add(findings: Findings, row: StateRow, made: Record, severity: str) -> None:
    first = len(findings.transitions)
    told = made.telling
    for place, (one, alert_id) in enumerate(made.new):
        findings.transitions.append((
            row.tenant_id, row.rule_id, row.state_id, alert_id, _at(one.at_s), one.before, one.after, one.degree,
            one.reason.get("value"), _text(one.reason), told is not None and told.transition == place,
        ))  # fmt: skip
    findings.superseded.extend(made.vanished)
    for alert in made.alerts:
        findings.alerts.append((
            alert.alert_id, row.tenant_id, row.rule_id, row.state_id, row.site_id, row.point_id, row.gateway_id,
            severity, alert.degree, alert.phase, _at(alert.started_s),
            None if alert.ended_s == NEVER else _at(alert.ended_s),
            alert.reason.get("value"), _text(alert.reason), alert.told,
        ))  # fmt: skip
    if told is not None:
        at = None if told.transition is None else first + told.transition
        findings.outbox.append((row.tenant_id, told.alert_id, at, told.kind, told.message_id))


def updated(watched: Watched, row: StateRow, stepped: Stepped, made: Record | None, now: datetime) -> StateUpdate:
    """Return what a state is from now on."""
    state = stepped.state
    due = _at(state.due_s)
    if watched.reads == "gateway":  # no arrival tells of a gateway: it is looked at
        due = min(due, now + GATEWAYS_EVERY)
    if now < row.due_at < due:
        due = row.due_at  # looking again too early costs less than an index that is written with every sample
    lazy = watched.rule.definition.LAZY
    return StateUpdate(
        row.state_id,
        state.phase,
        _at(state.since_s),
        state.degree,
        stepped.reason.get("value"),
        _text(stepped.reason),
        dump_machine(state.machine),
        row.folded_to if state.machine.last_s == -NEVER else _at(state.machine.last_s),
        made.open_alert if made is not None else row.alert_id,  # type: ignore[arg-type]
        due,
        not (lazy and state.phase in {INACTIVE, RESOLVED}),
    )


def _at(at_s: float) -> datetime:
    """Return a moment for the database; what is never, the end of the calendar."""
    if at_s == NEVER:
        return _FOREVER
    return datetime.fromtimestamp(at_s, UTC)


def _text(value: Mapping[str, Any]) -> str:
    return _json.encode(value).decode()
