"""Downlinks as the role `provisioning` handles them: claimed by one worker at a time, never sent twice on purpose."""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

import asyncpg


class Claimed(NamedTuple):
    """A downlink that this worker alone handles until its claim ends. `attempts` were made before.

    `asked_at`: since when its network server may have it, None if it was never asked. `is_theirs`: the tenant has the
    device still.
    """

    downlink_id: int
    reference: UUID
    tenant_id: int
    device_id: int
    dev_eui: str
    is_theirs: bool
    f_port: int
    payload: bytes
    confirmed: bool
    created_at: datetime
    expires_at: datetime
    asked_at: datetime | None
    item: str
    withdrawn_at: datetime | None
    attempts: int


# Those of one device in their order: the oldest that waits here goes first. What is over there can be asked back.
CLAIM: Final = """
WITH due AS (
  SELECT downlink_id
    FROM downlinks AS one
   WHERE state IN ('queued', 'accepted')
     AND due_at <= $1
     AND claimed_until <= $1
     AND (state = 'accepted'
          OR NOT EXISTS (SELECT FROM downlinks AS before
                          WHERE before.device_id = one.device_id
                            AND before.state = 'queued'
                            AND before.downlink_id < one.downlink_id))
   ORDER BY due_at, downlink_id
   LIMIT $3
     FOR UPDATE SKIP LOCKED
)
UPDATE downlinks AS one
   SET claimed_until = $1::timestamptz + $2::interval, attempts = attempts + 1
  FROM due, devices
 WHERE one.downlink_id = due.downlink_id
   AND devices.device_id = one.device_id
RETURNING one.downlink_id, reference, one.tenant_id, one.device_id, dev_eui, devices.tenant_id = one.tenant_id, f_port,
          payload, confirmed, one.created_at, expires_at, asked_at, item, withdrawn_at, attempts - 1
"""


async def claim(connection: asyncpg.Connection, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """Return downlinks that are due, for this worker alone during `lease`."""
    return sorted(Claimed(*row) for row in await connection.fetch(CLAIM, now, lease, limit))


SELECT_OTHERS: Final = """
SELECT item FROM downlinks WHERE device_id = $1 AND downlink_id <> $2 AND item <> ''
"""


async def items_of_others(connection: asyncpg.Connection, one: Claimed) -> frozenset[str]:
    """Return the items of a device's queue over there that are other downlinks of ours, now or before."""
    return frozenset(row["item"] for row in await connection.fetch(SELECT_OTHERS, one.device_id, one.downlink_id))


# Whoever wants it back before this is heard: after it, the network server may have it.
UPDATE_ASKED: Final = """
UPDATE downlinks
   SET asked_at = coalesce(asked_at, $2)
 WHERE downlink_id = $1 AND state = 'queued' AND withdrawn_at IS NULL
RETURNING downlink_id
"""


async def begin(connection: asyncpg.Connection, downlink_id: int, now: datetime) -> bool:
    """Note that a network server is about to be asked; False when it is not to be any more."""
    return await connection.fetchval(UPDATE_ASKED, downlink_id, now) is not None


UPDATE_ACCEPTED: Final = """
UPDATE downlinks
   SET item = $2, accepted_at = least(accepted_at, $3), trouble = '', claimed_until = '-infinity',
       due_at = CASE WHEN withdrawn_at IS NULL THEN expires_at ELSE $3 END
 WHERE downlink_id = $1
"""


async def accepted(connection: asyncpg.Connection, downlink_id: int, item: str, now: datetime) -> None:
    """Note that its network server has it, as this item of its queue."""
    await connection.execute(UPDATE_ACCEPTED, downlink_id, item, now)


UPDATE_AGAIN: Final = """
UPDATE downlinks SET due_at = $2, trouble = $3, claimed_until = '-infinity' WHERE downlink_id = $1
"""


async def try_again(connection: asyncpg.Connection, downlink_id: int, due_at: datetime, trouble: str) -> None:
    """Let it be tried later."""
    await connection.execute(UPDATE_AGAIN, downlink_id, due_at, trouble)


UPDATE_ENDED: Final = """
UPDATE downlinks
   SET refused_at = CASE WHEN $2 = 'refused' THEN least(refused_at, $3) ELSE refused_at END,
       expired_at = CASE WHEN $2 = 'expired' THEN least(expired_at, $3) ELSE expired_at END,
       cancelled_at = CASE WHEN $2 = 'cancelled' THEN least(cancelled_at, $3) ELSE cancelled_at END,
       trouble = $4, claimed_until = '-infinity'
 WHERE downlink_id = $1
"""


async def end(
    connection: asyncpg.Connection,
    downlink_id: int,
    how: Literal["refused", "expired", "cancelled"],
    now: datetime,
    trouble: str = "",
) -> None:
    """Note that it was refused, has expired or was cancelled."""
    await connection.execute(UPDATE_ENDED, downlink_id, how, now, trouble)


UPDATE_KEPT: Final = """
UPDATE downlinks
   SET withdrawn_at = NULL, due_at = expires_at, trouble = $2, claimed_until = '-infinity'
 WHERE downlink_id = $1
"""


async def keep(connection: asyncpg.Connection, downlink_id: int, trouble: str) -> None:
    """Note that its network server does not give it back."""
    await connection.execute(UPDATE_KEPT, downlink_id, trouble)
