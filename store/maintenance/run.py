"""One round of maintenance: call it every minute or so, from as many processes as there are."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from store.access.identities import forget_old
from store.access.sessions import forget_ended
from store.idempotency import forget
from store.maintenance.aggregates import refresh_days
from store.maintenance.arrivals import forget_arrivals
from store.maintenance.erasing import erase_expired
from store.maintenance.fleet import count_days, refresh_fleet, refresh_silent
from store.maintenance.marks import SETTLED_AFTER, Portion, consume_plain, consume_timescale
from store.maintenance.network import refresh_network
from store.maintenance.publishing import publish
from store.maintenance.retention import delete_expired, drop_expired, rebuilt_from, retention
from store.maintenance.usage import reckon_usage
from store.migrate import has_timescale
from store.partitions import PARTITIONED, ensure_partitions, month_after, month_of
from store.provisioning import import_keys

MONTHS_AHEAD: Final = 2
PORTION: Final = 5_000  # marks consumed in one transaction
BULK: Final = 20_000  # and of a past that comes in: each statement waits for its turn in a busy process
PORTIONS: Final = 200  # a round ends, though more be left

_LOCK: Final = 0x53414D4D4149  # "SAMMAI": one round at a time


class Report(NamedTuple):
    """What a round did. `busy`: nothing, another process was at it. `more`: not everything; come again soon."""

    partitions: list[str]
    dropped: list[str]
    deleted: int
    marks: int
    accounts: int
    busy: bool
    more: bool


NOTHING: Final = Report(partitions=[], dropped=[], deleted=0, marks=0, accounts=0, busy=True, more=False)

SELECT_TRY_LOCK: Final = """
SELECT pg_try_advisory_lock($1::bigint)
"""

SELECT_UNLOCK: Final = """
SELECT pg_advisory_unlock($1::bigint)
"""


async def run_once(
    connection: asyncpg.Connection, now: datetime, *, portion: int = PORTION, portions: int = PORTIONS
) -> Report:
    """Make partitions ahead, roll up what changed, see how radio and network fare, drop what is no longer kept.

    `now` is timezone-aware. The connection is in no transaction. Raises what asyncpg raises; what was left undone
    is done in the next round.
    """
    async with _alone(connection) as alone:
        return await _run(connection, now, portion, portions) if alone else NOTHING


async def roll_up_once(connection: asyncpg.Connection, now: datetime) -> Report:
    """Roll up what changed, and no more: what a round can do of a past that still comes in. Otherwise as `run_once`."""
    async with _alone(connection) as alone:
        return await _roll_up(connection, now, await retention(connection), BULK, PORTIONS) if alone else NOTHING


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[bool]:
    """Say whether no other process is at it, and keep it so."""
    alone: bool = await connection.fetchval(SELECT_TRY_LOCK, _LOCK)
    try:
        yield alone
    finally:
        if alone and not connection.is_closed():
            await connection.fetchval(SELECT_UNLOCK, _LOCK)


async def _run(connection: asyncpg.Connection, now: datetime, portion: int, portions: int) -> Report:
    await forget(connection, now)
    await forget_arrivals(connection, now)
    await forget_ended(connection)
    await forget_old(connection)
    await import_keys.forget_old(connection, now)
    kept = await retention(connection)
    ahead = [month_after(month_of(now), count) for count in range(MONTHS_AHEAD + 1)]
    made = [name for relation in PARTITIONED for name in await ensure_partitions(connection, relation, ahead)]
    report = await _roll_up(connection, now, kept, portion, portions)
    await refresh_network(connection, now)
    await refresh_silent(connection, now)
    await refresh_fleet(connection, now)
    await reckon_usage(connection, now)
    await publish(connection, now)
    dropped = [] if await has_timescale(connection) else await drop_expired(connection, kept, now)
    deleted = await delete_expired(connection, kept, now) + await erase_expired(connection, now)
    return report._replace(partitions=made, dropped=dropped, deleted=deleted)


async def _roll_up(
    connection: asyncpg.Connection, now: datetime, kept: Mapping[str, int], portion: int, portions: int
) -> Report:
    """Consume the marks of hours that have settled, and bring up to date what is derived from them."""
    timescale = await has_timescale(connection)
    consume = consume_timescale if timescale else consume_plain
    done: list[Portion] = []
    for _ in range(portions):
        after = done[-1].last if done else None
        done.append(await consume(connection, now - SETTLED_AFTER, rebuilt_from(kept, now), portion, after))
        if done[-1].marks < portion:
            break
    if timescale:
        await refresh_days(connection, now)
    await count_days(connection, {day for one in done for day in one.days})
    return Report(
        partitions=[],
        dropped=[],
        deleted=0,
        marks=sum(one.marks for one in done),
        accounts=sum(one.accounts for one in done),
        busy=False,
        more=bool(done) and done[-1].marks == portion,
    )
