"""What network servers told of downlinks: events as ingest stored them, and the moments that they set."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from domain.downlinks import TOLD_BY, Heard, Told

_EARLIER: Final = timedelta(minutes=5)  # a network server's clock and ours
FOLLOWED_FOR: Final = timedelta(days=7)  # after a downlink's end, something may still be told of it

INSERT_TOLD: Final = """
INSERT INTO downlinks_told (device_id)
SELECT DISTINCT device_id
  FROM unnest($1::integer[]) AS one (device_id)
 WHERE EXISTS (SELECT FROM downlinks
                WHERE downlinks.device_id = one.device_id AND acknowledged_at IS NULL AND expires_at > $2)
"""


async def note(connection: asyncpg.Connection, device_ids: Collection[int], at: datetime) -> None:
    """Note, where an event is stored, that downlinks of these devices are to be looked at: if there are any."""
    await connection.execute(INSERT_TOLD, list(device_ids), at - FOLLOWED_FOR)


DELETE_TOLD: Final = """
DELETE FROM downlinks_told WHERE ctid = ANY (ARRAY(SELECT ctid FROM downlinks_told LIMIT $1)) RETURNING device_id
"""


async def take_noted(connection: asyncpg.Connection, most: int) -> frozenset[int]:
    """Return devices of which something was told, and forget it in this transaction."""
    return frozenset(row["device_id"] for row in await connection.fetch(DELETE_TOLD, most))


SELECT_HOLD_DEVICES: Final = """
SELECT hold_devices($1)
"""


async def hold_devices(connection: asyncpg.Connection, device_ids: Collection[int]) -> None:
    """Hold devices until the transaction ends: before their downlinks, as handing a device over does."""
    await connection.execute(SELECT_HOLD_DEVICES, list(device_ids))


class Followed(NamedTuple):
    """A downlink of which something may be told."""

    downlink_id: int
    device_id: int
    reference: UUID
    item: str
    created_at: datetime


SELECT_FOLLOWED: Final = """
SELECT downlink_id, device_id, reference, item, created_at
  FROM downlinks
 WHERE device_id = ANY ($1::integer[]) AND acknowledged_at IS NULL AND expires_at > $2
 ORDER BY downlink_id
   FOR UPDATE
"""


async def followed(connection: asyncpg.Connection, device_ids: Collection[int], now: datetime) -> list[Followed]:
    """Return the downlinks of these devices of which something may be told, held until the transaction ends."""
    rows = await connection.fetch(SELECT_FOLLOWED, list(device_ids), now - FOLLOWED_FOR)
    return [Followed(*row) for row in rows]


SELECT_EVENTS: Final = """
SELECT received_at, kind, data::text
  FROM network_events
 WHERE device_id = $1 AND received_at >= $2 AND kind = ANY ($3::text[])
 ORDER BY received_at, event_key
"""


async def told_since(connection: asyncpg.Connection, device_id: int, since: datetime) -> list[Told]:
    """Return what was told of a device since a moment, by whichever clock, that may be about a downlink."""
    rows = await connection.fetch(SELECT_EVENTS, device_id, since - _EARLIER, list(TOLD_BY))
    return [Told(received_at, kind, json.loads(data)) for received_at, kind, data in rows]


# least and coalesce: whatever the order, and however often.
UPDATE_HEARD: Final = """
UPDATE downlinks AS one
   SET accepted_at = least(one.accepted_at, $2), sent_at = least(one.sent_at, $3),
       acknowledged_at = least(one.acknowledged_at, $4), failed_at = least(one.failed_at, $5),
       expired_at = least(one.expired_at, $6), trouble = CASE WHEN coalesce(one.acknowledged_at, $4) IS NOT NULL THEN ''
                                                               WHEN $7 = '' THEN one.trouble ELSE $7 END
  FROM (SELECT downlink_id, acknowledged_at, state FROM downlinks WHERE downlink_id = $1 FOR UPDATE) AS before
 WHERE one.downlink_id = before.downlink_id
RETURNING before.state AS was, one.state AS is,
          before.acknowledged_at IS NULL AND one.acknowledged_at IS NOT NULL AS is_acknowledged
"""

SELECT_FOLLOW_PERIOD: Final = """
SELECT follow_period($1)
"""


async def keep(connection: asyncpg.Connection, downlink_id: int, said: Heard) -> str:
    """Keep what was told of a downlink; return the state that it makes, '' when it is the same as before.

    A device that acknowledged a period is expected by it from now on. The connection is in a transaction.
    """
    row = await connection.fetchrow(UPDATE_HEARD, downlink_id, *said)
    if row is None:
        return ""
    if row["is_acknowledged"]:
        await connection.execute(SELECT_FOLLOW_PERIOD, downlink_id)
    state: str = row["is"]
    return "" if row["was"] == state else state
