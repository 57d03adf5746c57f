"""What was set aside: list it, show it, and note that it was replayed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError


class Quarantined(NamedTuple):
    """One message in quarantine. `message` is whole unless `message_bytes` says that it was longer."""

    quarantine_id: int
    first_at: datetime
    last_at: datetime
    times: int
    source: str
    lns: str
    topic: str
    reason: str
    detail: str
    dev_eui: str | None
    day: date
    kind: str | None
    tenant_id: int | None
    message: bytes
    message_bytes: int
    replayed_at: datetime | None

    @property
    def is_whole(self) -> bool:
        """Say whether it can be replayed."""
        return len(self.message) == self.message_bytes


SELECT_QUARANTINED: Final = """
SELECT quarantine_id, first_at, last_at, times, sources.name, lns, topic, reason, detail, dev_eui, day, kind,
       tenant_id, message, message_bytes, replayed_at
  FROM quarantine JOIN sources USING (source_id)
 WHERE ($1::text IS NULL OR reason = $1)
   AND ($2::text IS NULL OR dev_eui = $2)
   AND ($3::bigint[] IS NULL OR quarantine_id = ANY ($3))
   AND ($4 OR replayed_at IS NULL)
   AND quarantine_id > $5
 ORDER BY quarantine_id
 LIMIT $6
"""


async def quarantined(
    connection: asyncpg.Connection,
    *,
    reason: str | None = None,
    dev_eui: str | None = None,
    ids: Sequence[int] | None = None,
    replayed_too: bool = False,
    after: int = 0,
    limit: int = 100,
) -> list[Quarantined]:
    """Return what is in quarantine, oldest first, after the id `after`."""
    numbers = None if ids is None else list(ids)
    records = await connection.fetch(SELECT_QUARANTINED, reason, dev_eui, numbers, replayed_too, after, limit)
    return [Quarantined(*record) for record in records]


async def one_quarantined(connection: asyncpg.Connection, quarantine_id: int) -> Quarantined:
    """Return one, replayed or not; raise NotFoundError when there is none of this number."""
    found = await quarantined(connection, ids=[quarantine_id], replayed_too=True, limit=1)
    if not found:
        raise NotFoundError(f"nothing in quarantine has the number {quarantine_id}")
    return found[0]


UPDATE_REPLAYED: Final = """
UPDATE quarantine SET replayed_at = $2 WHERE quarantine_id = $1 AND last_at < $2
"""

# A replay counts the message again where it arrives: it is taken off here, so that the account still adds up.
UPDATE_REPLAYED_ACCOUNT: Final = """
INSERT INTO ingest_accounts AS known (day, source_id, tenant_id, kind, outcome, worker, messages)
SELECT $1::date, source_id, $4::integer, $2::text, $5::text, 'replay', -$6::bigint FROM sources WHERE name = $3
ON CONFLICT (day, source_id, tenant_id, kind, outcome, worker)
DO UPDATE SET messages = known.messages + excluded.messages
"""


async def note_replayed(
    connection: asyncpg.Connection, one: Quarantined, *, started_at: datetime, counted: int
) -> None:
    """Take one off the list, unless it came back since `started_at`.

    `counted` is how many messages the replay of it added to the accounts. A message stood there as quarantined;
    the message of a reading had been stored, and the replay counted it as a duplicate.
    """
    kind, outcome = (one.kind, "quarantined") if one.kind else ("uplink", "duplicate")
    async with connection.transaction():
        await connection.execute(UPDATE_REPLAYED, one.quarantine_id, started_at)
        await connection.execute(UPDATE_REPLAYED_ACCOUNT, one.day, kind, one.source, one.tenant_id, outcome, counted)
