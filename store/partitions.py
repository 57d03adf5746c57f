"""Monthly partitions of the telemetry, on plain PostgreSQL. TimescaleDB makes its own chunks: nothing to do there."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import asyncpg

PARTITIONED: Final = ("uplinks", "receptions", "measurements", "network_events")

LOCK_TIMEOUT_MS: Final = 2000  # writers wait behind whoever waits to drop a partition

_LOCK: Final = 0x53414D504152  # "SAMPAR": one maker of partitions at a time


class Partition(NamedTuple):
    """One month of a relation. `end` is excluded; both are first days of a month, UTC."""

    relation: str
    name: str
    start: date
    end: date


def month_of(moment: datetime) -> date:
    """Return the first day of the UTC month of a timezone-aware moment."""
    return moment.astimezone(UTC).date().replace(day=1)


def month_after(month: date, count: int = 1) -> date:
    """Return the first day of the month that comes `count` months later (earlier when negative)."""
    months = month.year * 12 + month.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


# A relation that is not partitioned (TimescaleDB) misses nothing.
SELECT_MISSING: Final = """
SELECT wanted.month
  FROM unnest($2::date[]) AS wanted (month), pg_class
 WHERE pg_class.oid = to_regclass($1::text)
   AND pg_class.relkind = 'p'
   AND to_regclass($1::text || to_char(wanted.month, '_YYYY_MM')) IS NULL
 ORDER BY wanted.month
"""

SELECT_LOCK: Final = """
SELECT pg_advisory_xact_lock($1::bigint)
"""

# CREATE TABLE … PARTITION OF would lock the relation against its readers and writers; ATTACH does not.
SELECT_MADE: Final = """
SELECT make_partition($1, $2)
"""


async def ensure_partitions(connection: asyncpg.Connection, relation: str, months: Collection[date]) -> list[str]:
    """Make the monthly partitions of `relation` that are missing; return the names of those made.

    `months` are days of the months wanted (any day will do), UTC. One cheap query when nothing is missing; on
    TimescaleDB nothing ever is. Safe when several processes do it at once. Call it outside a transaction: the
    lock is held until the end of the transaction, and other writers wait for it.
    """
    if relation not in PARTITIONED:
        raise ValueError(f"{relation!r} is not a partitioned relation")
    wanted = sorted({month.replace(day=1) for month in months})
    if not wanted or not await connection.fetch(SELECT_MISSING, relation, wanted):
        return []
    async with connection.transaction():
        await connection.execute(SELECT_LOCK, _LOCK)
        missing = [record["month"] for record in await connection.fetch(SELECT_MISSING, relation, wanted)]
        return [await _create(connection, relation, month) for month in missing]


async def _create(connection: asyncpg.Connection, relation: str, month: date) -> str:
    partition: str = await connection.fetchval(SELECT_MADE, relation, month)
    return partition


SELECT_PARTITIONS: Final = """
SELECT child.relname AS name
  FROM pg_inherits
  JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
  JOIN pg_class AS parent ON parent.oid = pg_inherits.inhparent
 WHERE parent.oid = to_regclass($1::text)
   AND parent.relkind = 'p'
   AND child.relkind = 'r'
 ORDER BY child.relname
"""


async def partitions(connection: asyncpg.Connection, relation: str) -> list[Partition]:
    """Return the partitions of one relation, oldest first; none on TimescaleDB."""
    names = [record["name"] for record in await connection.fetch(SELECT_PARTITIONS, relation)]
    return [_parse(relation, name) for name in names]


def _parse(relation: str, name: str) -> Partition:
    year, month = name.removeprefix(f"{relation}_").split("_")
    start = date(int(year), int(month), 1)
    return Partition(relation=relation, name=name, start=start, end=month_after(start))


def expired(known: Iterable[Partition], keep_months: int, now: datetime) -> list[Partition]:
    """Return the partitions that lie wholly more than `keep_months` whole months before the month of `now`."""
    oldest_kept = month_after(month_of(now), -keep_months)
    return [partition for partition in known if partition.end <= oldest_kept]


async def drop_partition(connection: asyncpg.Connection, partition: Partition) -> None:
    """Drop one partition for good. Raises asyncpg.LockNotAvailableError if it is in use for longer than we wait."""
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_MS}ms'")
        await connection.execute(f"DROP TABLE IF EXISTS {partition.name}")
