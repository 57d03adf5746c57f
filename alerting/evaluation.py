"""Live evaluation: claim work, step, record; all of one claim in one transaction.

Whoever is killed leaves nothing half done: what it had claimed is there for the next one. Any number of workers may
run; PostgreSQL's locks are what they share.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from alerting.record import Alert, Known, Record, record
from alerting.rewind import LATENESS_S, is_new_day
from alerting.rules import HEARD, Calendar, Definition, OpeningHours, Surroundings, parse
from alerting.rules._base import NEVER
from alerting.state_json import dump_machine, load_machine
from alerting.step import INACTIVE, RESOLVED, Machine, Rule, Sample, State, Stepped, step
from store.alerting.recording import (
    AlertRow,
    Findings,
    StateUpdate,
    TransitionRow,
    add_checkpoints,
    drop_overtaken,
    record_findings,
    recorded_since,
    update_states,
)
from store.alerting.subjects import Around, around
from store.alerting.work import (
    StateRow,
    checkpoints_before,
    claim_arrivals,
    gateways_heard_since,
    heard_since,
    lock_due,
    lock_states_of,
    samples_since,
)

ARRIVALS_AT_ONCE: Final = 200
DUE_AT_ONCE: Final = 500
_FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
GATEWAYS_EVERY: Final = timedelta(minutes=1)
_LATENESS: Final = timedelta(seconds=LATENESS_S)
_json = msgspec.json.Encoder()


class Evaluated(NamedTuple):
    """What one claim came to."""

    claimed: int
    states: int
    told: int


NOTHING: Final = Evaluated(0, 0, 0)


class _Watched(NamedTuple):
    rule: Rule
    rule_id: int
    severity: str
    reads: str  # "samples", "heard" or "gateway"


class Evaluator:
    """Evaluates on one connection. What it knows of rules it keeps until told to `forget`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._watched: dict[int, _Watched] = {}

    def forget(self) -> None:
        """Read rules and calendars again: something changed."""
        self._watched.clear()

    async def arrivals(self, now: datetime, limit: int = ARRIVALS_AT_ONCE) -> Evaluated:
        """Evaluate what some arrivals concern."""
        connection = self._connection
        async with connection.transaction():
            devices = await claim_arrivals(connection, limit)
            if not devices:
                return NOTHING
            rows = await lock_states_of(connection, devices)
            return Evaluated(len(devices), len(rows), await self._evaluate(rows, now))

    async def due(self, now: datetime, limit: int = DUE_AT_ONCE) -> Evaluated:
        """Evaluate some of the states that are due."""
        connection = self._connection
        async with connection.transaction():
            rows = await lock_due(connection, now, limit)
            return Evaluated(len(rows), len(rows), await self._evaluate(rows, now)) if rows else NOTHING

    async def _evaluate(self, rows: Sequence[StateRow], now: datetime) -> int:
        if not rows:
            return 0
        await self._learn(rows)
        begun = await self._begin(rows)
        samples = await self._samples(rows, begun)
        now_s = now.timestamp()
        stepped = {
            row.state_id: step(
                self._watched[row.state_id].rule, State(begun[row.state_id][1]), samples[row.state_id], now_s
            )
            for row in rows
        }
        records = await self._records(rows, begun, stepped, now_s)
        findings = self._findings(rows, stepped, records)
        await record_findings(self._connection, findings, now)
        updates = [self._update(row, stepped[row.state_id], records.get(row.state_id), now) for row in rows]
        await update_states(self._connection, updates, now)
        await self._checkpoint(rows, begun, stepped, now)
        return len(findings.outbox)

    async def _learn(self, rows: Sequence[StateRow]) -> None:
        """Read the rules of states seen for the first time."""
        unknown = [row.state_id for row in rows if row.state_id not in self._watched]
        if unknown:
            for one in await around(self._connection, unknown):
                self._watched[one.state_id] = _watched(one)

    async def _begin(self, rows: Sequence[StateRow]) -> dict[int, tuple[datetime, Machine]]:
        """Return where each state goes on from: where it stands, or before the earliest sample that came."""
        late = [row for row in rows if row.since is not None and row.since <= row.folded_to]
        begun = {row.state_id: (row.folded_to, load_machine(row.machine)) for row in rows}
        if late:
            since = [row.since for row in late if row.since is not None]
            found = await checkpoints_before(self._connection, [row.state_id for row in late], since)
            for state_id, (folded_to, machine) in found.items():
                if folded_to < begun[state_id][0]:
                    begun[state_id] = folded_to, load_machine(machine)
            overtaken = [(row.state_id, since_at) for row, since_at in zip(late, since, strict=True)]
            await drop_overtaken(self._connection, overtaken)
        return begun

    async def _samples(
        self, rows: Sequence[StateRow], begun: Mapping[int, tuple[datetime, Machine]]
    ) -> dict[int, list[Sample]]:
        by_reading: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            by_reading[self._watched[row.state_id].reads].append(row.state_id)
        found: dict[int, list[Sample]] = {row.state_id: [] for row in rows}
        for reads, state_ids in by_reading.items():
            since = [begun[state_id][0] for state_id in state_ids]
            for state_id, at_s, position, value in await _READERS[reads](self._connection, state_ids, since):
                found[state_id].append((at_s, position, value))
        return found

    async def _records(
        self,
        rows: Sequence[StateRow],
        begun: Mapping[int, tuple[datetime, Machine]],
        stepped: Mapping[int, Stepped],
        now_s: float,
    ) -> dict[int, Record]:
        """Compare with what is recorded, where anything may differ."""
        concerned = [row for row in rows if _may_differ(row, begun[row.state_id][0], stepped[row.state_id])]
        if not concerned:
            return {}
        ids, since = [row.state_id for row in concerned], [begun[row.state_id][0] for row in concerned]
        transitions, alerts = await recorded_since(self._connection, ids, since)
        known: dict[int, list[Known]] = defaultdict(list)
        for one in transitions:
            known[one.state_id].append(_known(one))
        held: dict[int, list[Alert]] = defaultdict(list)
        for alert in alerts:
            held[alert.state_id].append(_alert(alert))
        found = {}
        for row in concerned:
            machine, made = begun[row.state_id][1], stepped[row.state_id]
            found[row.state_id] = record(
                f"{row.rule_id}/{row.point_id}/{row.gateway_id}",
                made.state,
                made.transitions,
                known[row.state_id],
                held[row.state_id],
                begun_from=(machine.fired_s, machine.degree),
                now_s=now_s,
            )
        return found

    def _findings(
        self, rows: Sequence[StateRow], stepped: Mapping[int, Stepped], records: Mapping[int, Record]
    ) -> Findings:
        findings = Findings([], [], [], [])
        for row in rows:
            made = records.get(row.state_id)
            if made is not None:
                self._add(findings, row, stepped[row.state_id], made)
        return findings

    def _add(self, findings: Findings, row: StateRow, stepped: Stepped, made: Record) -> None:
        del stepped
        severity = self._watched[row.state_id].severity
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
            findings.outbox.append((row.tenant_id, told.alert_id, first + told.transition, told.kind, told.message_id))

    def _update(self, row: StateRow, stepped: Stepped, made: Record | None, now: datetime) -> StateUpdate:
        state = stepped.state
        due = _at(state.due_s)
        if self._watched[row.state_id].reads == "gateway":  # no arrival tells of a gateway: it is looked at
            due = min(due, now + GATEWAYS_EVERY)
        if now < row.due_at < due:
            due = row.due_at  # looking again too early costs less than an index that is written with every sample
        lazy = self._watched[row.state_id].rule.definition.LAZY
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

    async def _checkpoint(
        self,
        rows: Sequence[StateRow],
        begun: Mapping[int, tuple[datetime, Machine]],
        stepped: Mapping[int, Stepped],
        now: datetime,
    ) -> None:
        """Once a day, keep where a state stood before this evaluation."""
        kept = []
        for row in rows:
            machine = begun[row.state_id][1]
            if is_new_day(machine.last_s, stepped[row.state_id].state.machine.last_s):
                kept.append((row.state_id, begun[row.state_id][0], dump_machine(machine)))
        await add_checkpoints(self._connection, kept, now - _LATENESS)


_READERS: Final = {"samples": samples_since, "heard": heard_since, "gateway": gateways_heard_since}


def _watched(found: Around) -> _Watched:
    definition = _definition(found.kind, found.definition)
    zone = ZoneInfo(found.zone)
    surroundings = Surroundings(
        zone=zone,
        calendar=None if found.calendar is None else _calendar(found.calendar, found.zone),
        period_s=found.period_s,
        members=found.members,
    )
    reads = "samples"
    if definition.SUBJECT == "gateway":
        reads = "gateway"
    elif definition.series()[0].quantity == HEARD:
        reads = "heard"
    return _Watched(Rule(definition, surroundings), found.rule_id, found.severity, reads)


@lru_cache(maxsize=50_000)
def _definition(kind: str, text: str) -> Definition:
    return parse(kind, json.loads(text))


@lru_cache(maxsize=5_000)
def _calendar(text: str, zone: str) -> Calendar:
    return Calendar(OpeningHours.model_validate_json(text), ZoneInfo(zone))


def _may_differ(row: StateRow, begun_at: datetime, stepped: Stepped) -> bool:
    """Say whether the record could need a change: phases passed, began again, or time alone had made the phase."""
    return bool(stepped.transitions) or begun_at < row.folded_to or row.phase_since > row.folded_to


def _known(row: TransitionRow) -> Known:
    return Known(row.transition_id, row.at_s, row.from_phase, row.to_phase)


def _alert(row: AlertRow) -> Alert:
    ended_s = NEVER if row.ended_s is None else row.ended_s
    return Alert(row.alert_id, row.started_s, ended_s, row.degree, row.phase, row.told, json.loads(row.reason))


def _at(at_s: float) -> datetime:
    """Return a moment for the database; what is never, the end of the calendar."""
    if at_s == NEVER:
        return _FOREVER
    return datetime.fromtimestamp(at_s, UTC)


def _text(value: Mapping[str, Any]) -> str:
    return _json.encode(value).decode()
