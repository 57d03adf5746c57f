"""Live evaluation: claim work, step, record; all of one claim in one transaction.

Whoever is killed leaves nothing half done: what it had claimed is there for the next one. Any number of workers may
run; PostgreSQL's locks are what they share.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from alerting.findings import findings_of, updated
from alerting.record import Alert, Known, Record, record
from alerting.rewind import LATENESS_S, is_new_day
from alerting.rules._base import NEVER
from alerting.state_json import dump_machine, load_machine
from alerting.states import Machine, Sample, State, Stepped
from alerting.step import step
from alerting.watched import Watched, watched
from store.alerting.recording import (
    AlertRow,
    TransitionRow,
    add_checkpoints,
    drop_overtaken,
    record_findings,
    recorded_since,
    update_states,
)
from store.alerting.subjects import around
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
_LATENESS: Final = timedelta(seconds=LATENESS_S)


class Evaluated(NamedTuple):
    """What one claim came to."""

    claimed: int
    states: int
    told: int


NOTHING: Final = Evaluated(0, 0, 0)


class Evaluator:
    """Evaluates on one connection. What it knows of rules it keeps until told to `forget`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._watched: dict[int, Watched] = {}

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
        findings = findings_of(rows, records, {row.state_id: self._watched[row.state_id].severity for row in rows})
        await record_findings(self._connection, findings, now)
        updates = [
            updated(self._watched[row.state_id], row, stepped[row.state_id], records.get(row.state_id), now)
            for row in rows
        ]
        await update_states(self._connection, updates, now)
        await self._checkpoint(rows, begun, stepped, now)
        return len(findings.outbox)

    async def _learn(self, rows: Sequence[StateRow]) -> None:
        """Read the rules of states seen for the first time."""
        unknown = [row.state_id for row in rows if row.state_id not in self._watched]
        if unknown:
            for one in await around(self._connection, unknown):
                self._watched[one.state_id] = watched(one)

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


def _may_differ(row: StateRow, begun_at: datetime, stepped: Stepped) -> bool:
    """Say whether the record could need a change: phases passed, began again, or time alone had made the phase."""
    return bool(stepped.transitions) or begun_at < row.folded_to or row.phase_since > row.folded_to


def _known(row: TransitionRow) -> Known:
    return Known(row.transition_id, row.at_s, row.from_phase, row.to_phase)


def _alert(row: AlertRow) -> Alert:
    ended_s = NEVER if row.ended_s is None else row.ended_s
    return Alert(row.alert_id, row.started_s, ended_s, row.degree, row.phase, row.told, json.loads(row.reason))
