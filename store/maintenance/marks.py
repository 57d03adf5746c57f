"""What ingest left to be done: the hours of devices in which something changed. All or nothing of a portion."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from store.maintenance.aggregates import refresh_hours
from store.maintenance.radio import rebuild_accounts
from store.maintenance.rollups import rebuild
from store.maintenance.supervision import KEPT_DAYS, Mark, rebuild_supervision
from store.maintenance.twins import settle_twins

# An hour is rolled up when it is over and its last frames have come; readers do without until then.
SETTLED_AFTER: Final = timedelta(hours=1, minutes=10)


class Portion(NamedTuple):
    """What one portion did: marks consumed, days of radio accounts made anew, which UTC days those were; how far."""

    marks: int
    accounts: int
    days: set[date]
    last: Mark | None = None  # where the next portion goes on; None: from the first mark


# What was deleted before stays in the index until it is vacuumed: whoever goes on does not pass it again.
DELETE_MARKS: Final = """
DELETE FROM changed_hours
 WHERE ctid = ANY(ARRAY(SELECT ctid
                          FROM changed_hours
                         WHERE hour <= $1
                           AND (device_id, hour) >= ($3::integer, $4::timestamptz)
                         ORDER BY device_id, hour
                         LIMIT $2))
RETURNING device_id, hour
"""

_FIRST: Final = (0, datetime(1970, 1, 1, tzinfo=UTC))


async def consume_plain(
    connection: asyncpg.Connection, settled: datetime, kept_from: datetime, limit: int, after: Mark | None = None
) -> Portion:
    """Rebuild what at most `limit` marks name, in one transaction, from where a portion ended if that is given.

    Measurements before `kept_from` are dropped by and by: their roll-ups stay as they are.
    """
    async with connection.transaction():
        taken = await connection.fetch(DELETE_MARKS, settled, limit, *(after or _FIRST))
        marks = {(device_id, hour) for device_id, hour in taken}
        await settle_twins(connection, marks)
        await rebuild(connection, [mark for mark in marks if mark[1] >= kept_from])
        accounts = await rebuild_accounts(connection, marks)
        days = await rebuild_supervision(connection, marks, settled.date() - timedelta(days=KEPT_DAYS))
    return Portion(marks=len(taken), accounts=accounts, days=days, last=max(marks, default=None))


SELECT_MARKS: Final = """
SELECT ctid, device_id, hour
  FROM changed_hours
 WHERE hour <= $1
 ORDER BY hour, device_id  -- an aggregate is refreshed for all devices at once; the marks of one day come together
 LIMIT $2
"""

DELETE_THESE_MARKS: Final = """
DELETE FROM changed_hours
 WHERE ctid = ANY($1::tid[])
"""


async def consume_timescale(
    connection: asyncpg.Connection, settled: datetime, kept_from: datetime, limit: int, _after: Mark | None = None
) -> Portion:
    """Refresh what at most `limit` marks name, then delete them. Interrupted, it is done again."""
    found = await connection.fetch(SELECT_MARKS, settled, limit)
    marks = {(record["device_id"], record["hour"]) for record in found}
    async with connection.transaction():
        await settle_twins(connection, marks)
    await refresh_hours(connection, {hour for _, hour in marks if hour >= kept_from})
    async with connection.transaction():
        await connection.execute(DELETE_THESE_MARKS, [record["ctid"] for record in found])
        accounts = await rebuild_accounts(connection, marks)
        days = await rebuild_supervision(connection, marks, settled.date() - timedelta(days=KEPT_DAYS))
    return Portion(marks=len(found), accounts=accounts, days=days)
