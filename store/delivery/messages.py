"""Messages to contacts: planned once, claimed by one worker at a time, tried again, and never lost."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg


class Planned(NamedTuple):
    """One message to be sent. `message_id` makes planning it twice harmless. `contact_id` None: whoever is on call."""

    message_id: str
    tenant_id: int
    incident_id: int | None
    contact_id: int | None
    kind: str
    severity: str
    due_at: datetime
    grouped: bool = False


INSERT_PLANNED: Final = """
INSERT INTO deliveries (message_id, tenant_id, incident_id, contact_id, kind, severity, due_at, grouped, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (message_id) DO NOTHING
"""


async def plan(connection: asyncpg.Connection, planned: Sequence[Planned], now: datetime) -> None:
    """Write down what is to be sent."""
    await connection.executemany(INSERT_PLANNED, [(*one, now) for one in planned])


INSERT_TEST: Final = """
INSERT INTO deliveries (message_id, tenant_id, contact_id, kind, severity, due_at, created_at)
SELECT 'test-' || gen_random_uuid(), tenant_id, contact_id, 'test', 'info', $3, $3
  FROM contacts
 WHERE contact_id = $2 AND tenant_id = $1 AND deleted_at IS NULL
RETURNING delivery_id
"""


async def plan_test(connection: asyncpg.Connection, tenant_id: int, contact_id: int, now: datetime) -> bool:
    """Let a contact be sent a test message; say whether there is such a contact."""
    return await connection.fetchval(INSERT_TEST, tenant_id, contact_id, now) is not None


class Claimed(NamedTuple):
    """A message that this worker alone may send until its claim ends.

    `attempts` were made before. `notice` is what earlier attempts said, None before the first. `wanted` is False for a
    reminder or a step of escalation of what has ended or was acknowledged meanwhile.
    """

    delivery_id: int
    message_id: str
    tenant_id: int
    incident_id: int | None
    contact_id: int | None
    kind: str
    severity: str
    attempts: int
    created_at: datetime
    notice: Mapping[str, Any] | None
    wanted: bool


CLAIM: Final = """
WITH due AS (
  SELECT delivery_id
    FROM deliveries
   WHERE state = 'waiting'
     AND NOT grouped
     AND due_at <= $1
     AND claimed_until <= $1
   ORDER BY due_at, delivery_id
   LIMIT $3
     FOR UPDATE SKIP LOCKED
)
UPDATE deliveries
   SET claimed_until = $1::timestamptz + $2::interval, attempts = attempts + 1
  FROM due
 WHERE deliveries.delivery_id = due.delivery_id
RETURNING deliveries.delivery_id, message_id, tenant_id, incident_id, contact_id, kind, severity,
          attempts - 1 AS attempts, created_at, notice::text,
          kind NOT IN ('reminder', 'escalated')
            OR EXISTS (SELECT FROM incidents
                        WHERE incidents.incident_id = deliveries.incident_id
                          AND closed_at IS NULL
                          AND acknowledged_at IS NULL) AS wanted
"""


async def claim(connection: asyncpg.Connection, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """Return messages that are due, for this worker alone during `lease`."""
    rows = await connection.fetch(CLAIM, now, lease, limit)
    claimed = [
        Claimed(**dict(row) | {"notice": None if row["notice"] is None else json.loads(row["notice"])}) for row in rows
    ]
    return sorted(claimed, key=lambda one: one.delivery_id)


# The messages of one contact that wait for its digest become one message.
CLOSE_GROUPS: Final = """
WITH due AS (
  SELECT delivery_id, contact_id, tenant_id, severity
    FROM deliveries
   WHERE state = 'waiting'
     AND grouped
     AND due_at <= $1
   ORDER BY delivery_id
   LIMIT 1000
     FOR UPDATE SKIP LOCKED
),
gone AS (
  UPDATE deliveries SET state = 'digested', ended_at = $1 FROM due WHERE deliveries.delivery_id = due.delivery_id
  RETURNING deliveries.delivery_id
)
INSERT INTO deliveries (message_id, tenant_id, contact_id, kind, severity, due_at, created_at, notice)
SELECT 'digest-' || min(delivery_id), tenant_id, contact_id, 'digest',
       (ARRAY['info', 'warning', 'critical'])[max(array_position(ARRAY['info', 'warning', 'critical'], severity))],
       $1, $1, NULL
  FROM due
 GROUP BY tenant_id, contact_id
ON CONFLICT (message_id) DO NOTHING
"""

SELECT_DIGESTED: Final = """
SELECT incident_id
  FROM deliveries
 WHERE state = 'digested'
   AND contact_id = $1
   AND ended_at = $2
 ORDER BY delivery_id
"""


async def close_groups(connection: asyncpg.Connection, now: datetime) -> None:
    """Make one digest a contact of the messages whose hour has come."""
    await connection.execute(CLOSE_GROUPS, now)


async def digested(connection: asyncpg.Connection, contact_id: int, at: datetime) -> list[int]:
    """Return the incidents that a digest made at `at` speaks of, each once, in order."""
    rows = await connection.fetch(SELECT_DIGESTED, contact_id, at)
    return list(dict.fromkeys(row["incident_id"] for row in rows if row["incident_id"] is not None))


UPDATE_NOTICE: Final = """
UPDATE deliveries SET notice = $2::jsonb, contact_id = $3, segments = $4 WHERE delivery_id = $1
"""


async def keep_notice(
    connection: asyncpg.Connection, delivery_id: int, notice: Mapping[str, Any], contact_id: int, segments: int
) -> None:
    """Keep what a message says before it leaves: another attempt says the same."""
    await connection.execute(UPDATE_NOTICE, delivery_id, json.dumps(dict(notice)), contact_id, segments)


UPDATE_ENDED: Final = """
UPDATE deliveries
   SET state = $2, ended_at = $3, error = $4, claimed_until = '-infinity'
 WHERE delivery_id = $1 AND state = 'waiting'
"""


async def end(connection: asyncpg.Connection, delivery_id: int, state: str, now: datetime, error: str = "") -> None:
    """Say what became of a message: sent, dropped or dead."""
    await connection.execute(UPDATE_ENDED, delivery_id, state, now, error)


UPDATE_AGAIN: Final = """
UPDATE deliveries
   SET due_at = $2, error = $3, grouped = $4, claimed_until = '-infinity'
 WHERE delivery_id = $1 AND state = 'waiting'
"""


async def try_again(
    connection: asyncpg.Connection, delivery_id: int, due_at: datetime, error: str, *, grouped: bool = False
) -> None:
    """Let a message be sent later, by itself or within the contact's next digest."""
    await connection.execute(UPDATE_AGAIN, delivery_id, due_at, error, grouped)


# A dead letter that somebody wants sent after all.
UPDATE_REVIVED: Final = """
UPDATE deliveries
   SET state = 'waiting', due_at = $3, attempts = 0, ended_at = NULL
 WHERE delivery_id = $2 AND tenant_id = $1 AND state = 'dead'
RETURNING delivery_id
"""


async def revive(connection: asyncpg.Connection, tenant_id: int, delivery_id: int, now: datetime) -> bool:
    """Send a dead letter again; say whether there is such a one."""
    return await connection.fetchval(UPDATE_REVIVED, tenant_id, delivery_id, now) is not None


COUNT_SENT: Final = """
SELECT count(*)
  FROM deliveries
 WHERE contact_id = $1
   AND state = 'sent'
   AND ended_at > $2::timestamptz - interval '1 hour'
"""


async def sent_last_hour(connection: asyncpg.Connection, contact_id: int, now: datetime) -> int:
    """Return how many messages a contact was sent in the last hour."""
    return int(await connection.fetchval(COUNT_SENT, contact_id, now))


COUNT_SMS: Final = """
SELECT count(*)
  FROM deliveries
  JOIN contacts USING (contact_id)
 WHERE deliveries.tenant_id = $1
   AND channel = 'sms'
   AND state = 'sent'
   AND ended_at > $2::timestamptz - interval '1 day'
"""


async def sms_last_day(connection: asyncpg.Connection, tenant_id: int, now: datetime) -> int:
    """Return how many SMS a tenant was sent in the last day."""
    return int(await connection.fetchval(COUNT_SMS, tenant_id, now))


# Who was told (or will be) that it began is told that it ended.
SELECT_TOLD: Final = """
SELECT DISTINCT contact_id, bool_or(grouped AND state = 'waiting') OVER (PARTITION BY contact_id) AS grouped
  FROM deliveries
 WHERE incident_id = $1
   AND contact_id IS NOT NULL
   AND state IN ('waiting', 'sent', 'digested')
   AND kind IN ('opened', 'updated', 'escalated')
"""


async def told_contacts(connection: asyncpg.Connection, incident_id: int) -> dict[int, bool]:
    """Return the contacts that were told of an incident, and whether what they are told still waits in a digest."""
    return {row["contact_id"]: row["grouped"] for row in await connection.fetch(SELECT_TOLD, incident_id)}
