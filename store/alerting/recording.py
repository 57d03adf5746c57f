"""What an evaluation found, written in the transaction that claimed its work."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg


class TransitionRow(NamedTuple):
    """A recorded transition, not superseded. Epoch seconds."""

    state_id: int
    transition_id: int
    at_s: float
    from_phase: str
    to_phase: str


class AlertRow(NamedTuple):
    """A recorded alert. Epoch seconds; `ended_s` None while it is open."""

    state_id: int
    alert_id: uuid.UUID
    started_s: float
    ended_s: float | None
    degree: int
    phase: str
    told: bool
    reason: str


SELECT_TRANSITIONS: Final = """
SELECT state_id, transition_id, date_part('epoch', at) AS at_s, from_phase, to_phase
  FROM unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
  JOIN transitions USING (state_id)
 WHERE at > since
   AND superseded_at IS NULL
 ORDER BY at, transition_id
"""

SELECT_ALERTS: Final = """
SELECT state_id, alert_id, date_part('epoch', started_at), date_part('epoch', ended_at), degree, phase, told,
       reason::text
  FROM unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
  JOIN alerts USING (state_id)
 WHERE (ended_at IS NULL OR ended_at > since)
 ORDER BY started_at
"""


async def recorded_since(
    connection: asyncpg.Connection, state_ids: Sequence[int], since: Sequence[datetime]
) -> tuple[list[TransitionRow], list[AlertRow]]:
    """Return the transitions of some states, each after its moment, and the alerts that were open then or later."""
    transitions = await connection.fetch(SELECT_TRANSITIONS, state_ids, since)
    alerts = await connection.fetch(SELECT_ALERTS, state_ids, since)
    return [TransitionRow(*row) for row in transitions], [AlertRow(*row) for row in alerts]


UPDATE_STATES: Final = """
UPDATE rule_states
   SET phase = one.phase, phase_since = one.phase_since, degree = one.degree, value = one.value,
       reason = one.reason::jsonb, machine = one.machine::json, folded_to = one.folded_to, alert_id = one.alert_id,
       evaluated_at = $12, due_at = one.due_at, on_arrival = one.on_arrival
  FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::smallint[], $5::double precision[], $6::text[],
              $7::text[], $8::timestamptz[], $9::uuid[], $10::timestamptz[], $11::boolean[])
    AS one (state_id, phase, phase_since, degree, value, reason, machine, folded_to, alert_id, due_at, on_arrival)
 WHERE rule_states.state_id = one.state_id
"""


class StateUpdate(NamedTuple):
    """What a state is from now on; JSON as text."""

    state_id: int
    phase: str
    phase_since: datetime
    degree: int
    value: float | None
    reason: str
    machine: str
    folded_to: datetime
    alert_id: uuid.UUID | None
    due_at: datetime
    on_arrival: bool


async def update_states(connection: asyncpg.Connection, updates: Sequence[StateUpdate], now: datetime) -> None:
    """Write states."""
    if updates:
        columns = list(map(list, zip(*updates, strict=True)))
        await connection.execute(UPDATE_STATES, *columns, now)


# Rows are numbered in the order in which they are inserted, which is that of the arrays.
INSERT_TRANSITIONS: Final = """
INSERT INTO transitions (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, value, reason, told,
                         recorded_at)
SELECT tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, value, reason::jsonb, told, $12
  FROM unnest($1::integer[], $2::integer[], $3::bigint[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
              $8::smallint[], $9::double precision[], $10::text[], $11::boolean[]) WITH ORDINALITY
    AS one (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, value, reason, told, place)
 ORDER BY place
RETURNING transition_id
"""

UPDATE_SUPERSEDED: Final = """
UPDATE transitions SET superseded_at = $2 WHERE transition_id = ANY($1::bigint[])
"""

UPSERT_ALERTS: Final = """
INSERT INTO alerts AS known (alert_id, tenant_id, rule_id, state_id, site_id, point_id, gateway_id, severity, degree,
                             phase, started_at, ended_at, value, reason, told, recorded_at)
SELECT alert_id, tenant_id, rule_id, state_id, site_id, point_id, gateway_id, severity, degree, phase, started_at,
       ended_at, value, reason::jsonb, told, $16
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::bigint[], $5::integer[], $6::integer[], $7::integer[],
              $8::text[], $9::smallint[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::double precision[],
              $14::text[], $15::boolean[])
    AS one (alert_id, tenant_id, rule_id, state_id, site_id, point_id, gateway_id, severity, degree, phase, started_at,
            ended_at, value, reason, told)
ON CONFLICT (alert_id) DO UPDATE
   SET state_id = excluded.state_id, severity = excluded.severity, degree = excluded.degree, phase = excluded.phase,
       started_at = excluded.started_at, ended_at = excluded.ended_at, told = excluded.told OR known.told
"""

INSERT_OUTBOX: Final = """
WITH put AS (
  INSERT INTO outbox (tenant_id, alert_id, transition_id, kind, message_id, created_at)
  SELECT tenant_id, alert_id, transition_id, kind, message_id, $6
    FROM unnest($1::integer[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[])
      AS one (tenant_id, alert_id, transition_id, kind, message_id)
  RETURNING outbox_id
)
SELECT pg_notify('samara_outbox', '') FROM put LIMIT 1
"""


class Findings(NamedTuple):
    """What is to be recorded, row by row in the order of the columns of the statements above.

    The transition_id of a new transition is its place in `transitions`, in `outbox` too (None: of no transition):
    numbers are given here.
    """

    transitions: list[tuple[Any, ...]]  # without their number
    superseded: list[int]
    alerts: list[tuple[Any, ...]]
    outbox: list[tuple[Any, ...]]  # tenant_id, alert_id, place of the transition, kind, message_id


async def record_findings(connection: asyncpg.Connection, found: Findings, now: datetime) -> None:
    """Write transitions, alerts and what is to be told; call it in the transaction that updates the states."""
    numbers: list[int] = []
    if found.alerts:
        await connection.execute(UPSERT_ALERTS, *map(list, zip(*found.alerts, strict=True)), now)
    if found.superseded:
        await connection.execute(UPDATE_SUPERSEDED, found.superseded, now)
    if found.transitions:
        columns = map(list, zip(*found.transitions, strict=True))
        numbers = sorted(row["transition_id"] for row in await connection.fetch(INSERT_TRANSITIONS, *columns, now))
    if found.outbox:
        rows = [
            (tenant, alert, None if place is None else numbers[place], kind, message)
            for tenant, alert, place, kind, message in found.outbox
        ]
        await connection.execute(INSERT_OUTBOX, *map(list, zip(*rows, strict=True)), now)


INSERT_CHECKPOINTS: Final = """
INSERT INTO rule_checkpoints (state_id, folded_to, machine)
SELECT state_id, folded_to, machine::json
  FROM unnest($1::bigint[], $2::timestamptz[], $3::text[]) AS one (state_id, folded_to, machine)
ON CONFLICT DO NOTHING
"""

# The newest of those that are too old stays: there is always one to begin again from.
DELETE_OLD_CHECKPOINTS: Final = """
DELETE FROM rule_checkpoints AS old
 USING unnest($1::bigint[]) AS one (state_id)
 WHERE old.state_id = one.state_id
   AND old.folded_to < (SELECT max(folded_to)
                          FROM rule_checkpoints AS newer
                         WHERE newer.state_id = old.state_id
                           AND newer.folded_to <= $2)
"""

DELETE_OVERTAKEN_CHECKPOINTS: Final = """
DELETE FROM rule_checkpoints
 USING unnest($1::bigint[], $2::timestamptz[]) AS one (state_id, since)
 WHERE rule_checkpoints.state_id = one.state_id
   AND folded_to >= since
   AND EXISTS (SELECT
                 FROM rule_checkpoints AS older
                WHERE older.state_id = one.state_id
                  AND older.folded_to < rule_checkpoints.folded_to)
"""


async def add_checkpoints(
    connection: asyncpg.Connection, rows: Sequence[tuple[int, datetime, str]], oldest: datetime
) -> None:
    """Keep where these states stood, and forget what is too old to be asked for."""
    if rows:
        state_ids, folded_to, machines = map(list, zip(*rows, strict=True))
        await connection.execute(INSERT_CHECKPOINTS, state_ids, folded_to, machines)
        await connection.execute(DELETE_OLD_CHECKPOINTS, state_ids, oldest)


async def drop_overtaken(connection: asyncpg.Connection, rows: Sequence[tuple[int, datetime]]) -> None:
    """Forget the checkpoints that late samples made untrue; the first of a state always stays."""
    if rows:
        state_ids, since = map(list, zip(*rows, strict=True))
        await connection.execute(DELETE_OVERTAKEN_CHECKPOINTS, state_ids, since)
