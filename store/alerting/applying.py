"""What a rule watches once it is enabled, one state a subject, and what ends with it: written by evaluation alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from store.alerting.subjects import Target


class Enabled(NamedTuple):
    """A rule to apply to its target. `definition` and `target` are JSON."""

    rule_id: int
    tenant_id: int
    kind: str
    definition: str
    target: str
    version: int


CLAIM_ENABLED: Final = """
UPDATE rules
   SET expanded_at = $1
 WHERE rule_id = ANY(ARRAY(SELECT rule_id
                             FROM rules
                            WHERE enabled
                              AND (expanded_at IS NULL OR expanded_at < $2)
                            ORDER BY expanded_at NULLS FIRST
                            LIMIT $3
                              FOR UPDATE SKIP LOCKED))
RETURNING rule_id, tenant_id, kind, definition::text, target::text, version
"""

INSERT_WATCHED: Final = """
INSERT INTO watched_tenants (tenant_id) SELECT DISTINCT unnest($1::integer[]) ON CONFLICT DO NOTHING
"""


async def claim_enabled(connection: asyncpg.Connection, now: datetime, before: datetime, limit: int) -> list[Enabled]:
    """Take some enabled rules that were not applied to their targets since `before`; ingest tells of arrivals then."""
    rows = [Enabled(*row) for row in await connection.fetch(CLAIM_ENABLED, now, before, limit)]
    if rows:
        await connection.execute(INSERT_WATCHED, [row.tenant_id for row in rows])
    return rows


CLAIM_DISABLED: Final = """
UPDATE rules
   SET expanded_at = NULL
 WHERE rule_id = ANY(ARRAY(SELECT rule_id
                             FROM rules
                            WHERE NOT enabled
                              AND expanded_at IS NOT NULL
                            ORDER BY rule_id
                            LIMIT $1
                              FOR UPDATE SKIP LOCKED))
RETURNING rule_id
"""


async def claim_disabled(connection: asyncpg.Connection, limit: int) -> list[int]:
    """Take some rules that are still applied and no longer enabled."""
    return [row["rule_id"] for row in await connection.fetch(CLAIM_DISABLED, limit)]


class NewState(NamedTuple):
    """A subject to be watched from now on, looking back to `folded_to`; `machine` is JSON."""

    rule_id: int
    rule_version: int
    tenant_id: int
    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    machine: str
    folded_to: datetime


INSERT_STATE: Final = """
INSERT INTO rule_states (rule_id, rule_version, tenant_id, site_id, point_id, gateway_id, phase, phase_since, machine,
                         folded_to, evaluated_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, 'never-seen', $8, $7::text::json, $8, $8, $9)
ON CONFLICT (rule_id, point_id, gateway_id) DO NOTHING
RETURNING state_id
"""

INSERT_FIRST_CHECKPOINT: Final = """
INSERT INTO rule_checkpoints (state_id, folded_to, machine) VALUES ($1, $2, $3::text::json)
"""

INSERT_INPUTS: Final = """
INSERT INTO rule_inputs (state_id, position, point_id, gateway_id, quantity_id, channel)
SELECT $1, position, point_id, gateway_id, quantities.quantity_id, channel
  FROM unnest($2::smallint[], $3::integer[], $4::integer[], $5::text[], $6::smallint[])
    AS one (position, point_id, gateway_id, quantity, channel)
  LEFT JOIN quantities ON quantities.name = quantity
 WHERE quantity = '' OR quantities.quantity_id IS NOT NULL
ON CONFLICT DO NOTHING
"""

Input = tuple[int, int | None, int | None, str, int]  # position, point_id, gateway_id, quantity ('': heard), channel


async def add_state(
    connection: asyncpg.Connection, new: NewState, inputs: Sequence[Input], now: datetime
) -> int | None:
    """Watch one more subject, due at once; return its number, None if it is watched already."""
    state_id: int | None = await connection.fetchval(INSERT_STATE, *new, now)
    if state_id is not None:
        await _set_inputs(connection, state_id, new, inputs)
    return state_id


async def _set_inputs(connection: asyncpg.Connection, state_id: int, new: NewState, inputs: Sequence[Input]) -> None:
    await connection.execute(INSERT_FIRST_CHECKPOINT, state_id, new.folded_to, new.machine)
    await connection.execute(INSERT_INPUTS, state_id, *map(list, zip(*inputs, strict=True)))


SELECT_GROUP: Final = """
SELECT state_id,
       ARRAY(SELECT point_id FROM rule_inputs WHERE rule_inputs.state_id = rule_states.state_id ORDER BY position)
  FROM rule_states
 WHERE rule_id = $1
   AND point_id IS NULL
   AND gateway_id IS NULL
   FOR UPDATE
"""


async def group_members(connection: asyncpg.Connection, rule_id: int) -> tuple[int, list[int]] | None:
    """Return the state of a group, locked, and its members; None where it has none yet."""
    row = await connection.fetchrow(SELECT_GROUP, rule_id)
    return None if row is None else (row[0], list(row[1]))


BEGIN_AGAIN: Final = """
UPDATE rule_states SET machine = $2::text::json, folded_to = $3, due_at = $4, on_arrival = true WHERE state_id = $1
"""

DELETE_INPUTS: Final = """
DELETE FROM rule_inputs WHERE state_id = $1
"""

DELETE_CHECKPOINTS: Final = """
DELETE FROM rule_checkpoints WHERE state_id = $1
"""

NOTIFY_RULES: Final = """
SELECT pg_notify('samara_rules', $1::integer::text)
"""


async def change_members(
    connection: asyncpg.Connection, state_id: int, new: NewState, inputs: Sequence[Input], now: datetime
) -> None:
    """Give a group other members: it is evaluated anew with all of them, and what it found stays what it found."""
    await connection.execute(DELETE_INPUTS, state_id)
    await connection.execute(DELETE_CHECKPOINTS, state_id)
    await connection.execute(BEGIN_AGAIN, state_id, new.machine, new.folded_to, now)
    await _set_inputs(connection, state_id, new, inputs)
    await connection.execute(NOTIFY_RULES, new.rule_id)


# A point is left when it is no longer of the site or the tag, or nothing measures it any more; one that a rule names
# by itself never is.
SELECT_LEFT: Final = """
SELECT state_id
  FROM rule_states
 WHERE rule_id = $1
   AND point_id IS NOT NULL
   AND $2::integer IS NULL
   AND NOT EXISTS (SELECT
                     FROM points
                     JOIN sites USING (site_id)
                     JOIN assignments USING (point_id)
                    WHERE points.point_id = rule_states.point_id
                      AND sites.tenant_id = rule_states.tenant_id
                      AND upper_inf(during)
                      AND ($3::integer IS NULL OR points.site_id = $3)
                      AND ($4::text IS NULL
                           OR EXISTS (SELECT FROM point_tags
                                       WHERE point_tags.point_id = points.point_id AND tag = $4)))
"""


async def states_left(connection: asyncpg.Connection, rule_id: int, target: Target) -> list[int]:
    """Return the states of a rule whose point its target no longer names."""
    rows = await connection.fetch(SELECT_LEFT, rule_id, target.point_id, target.site_id, target.tag)
    return [row["state_id"] for row in rows]


SELECT_OTHER_VERSIONS: Final = """
SELECT state_id FROM rule_states WHERE rule_id = $1 AND ($2::integer IS NULL OR rule_version <> $2)
"""


async def states_of(connection: asyncpg.Connection, rule_id: int, *, but_version: int | None = None) -> list[int]:
    """Return the states of a rule, but for those of one version."""
    return [row["state_id"] for row in await connection.fetch(SELECT_OTHER_VERSIONS, rule_id, but_version)]


LOCK_STATES: Final = """
SELECT FROM rule_states WHERE state_id = ANY($1::bigint[]) ORDER BY state_id FOR UPDATE
"""

WITHDRAW_ALERTS: Final = """
WITH ended AS (
  UPDATE alerts SET phase = 'withdrawn', ended_at = $2
   WHERE state_id = ANY($1::bigint[])
     AND ended_at IS NULL
  RETURNING alert_id, tenant_id
), put AS (
  INSERT INTO outbox (tenant_id, alert_id, kind, message_id, created_at)
  SELECT tenant_id, alert_id, 'withdrawn', gen_random_uuid(), $2
    FROM ended
  RETURNING 1
)
SELECT pg_notify('samara_outbox', '') FROM put LIMIT 1
"""

DELETE_STATES: Final = """
DELETE FROM rule_states WHERE state_id = ANY($1::bigint[])
"""


async def end_states(connection: asyncpg.Connection, state_ids: Sequence[int], now: datetime) -> None:
    """Watch these subjects no longer: their open alerts are withdrawn, and people told. Call it in a transaction."""
    if state_ids:
        await connection.execute(LOCK_STATES, state_ids)
        await connection.execute(WITHDRAW_ALERTS, state_ids, now)
        await connection.execute(DELETE_STATES, state_ids)
