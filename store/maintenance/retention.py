"""How long telemetry is kept: for ever, unless a number of months is set per relation."""

from datetime import UTC, datetime
from typing import Final

import asyncpg

from store.migrate import has_timescale
from store.partitions import PARTITIONED, drop_partition, expired, month_after, month_of, partitions

_EVER: Final = datetime.min.replace(tzinfo=UTC)

SELECT_RETENTION: Final = """
SELECT relation, keep_months FROM retention
"""


async def retention(connection: asyncpg.Connection) -> dict[str, int]:
    """Return how many whole months are kept, of each relation for which that was set."""
    return {record["relation"]: record["keep_months"] for record in await connection.fetch(SELECT_RETENTION)}


def kept_from(keep_months: int | None, now: datetime) -> datetime:
    """Return the moment since which everything is kept; the earliest there is when `keep_months` is None."""
    if keep_months is None:
        return _EVER
    month = month_after(month_of(now), -keep_months)
    return datetime(month.year, month.month, 1, tzinfo=UTC)


UPSERT_RETENTION: Final = """
INSERT INTO retention (relation, keep_months) VALUES ($1, $2)
ON CONFLICT (relation) DO UPDATE SET keep_months = excluded.keep_months
"""

DELETE_RETENTION: Final = """
DELETE FROM retention WHERE relation = $1
"""

REMOVE_POLICY: Final = """
SELECT remove_retention_policy($1::text::regclass, if_exists => true)
"""

ADD_POLICY: Final = """
SELECT add_retention_policy($1::text::regclass, make_interval(months => $2::integer))
"""


async def set_retention(connection: asyncpg.Connection, relation: str, keep_months: int | None) -> None:
    """Keep that many whole months of `relation` from now on, or all of it (None).

    Nothing is dropped here: maintenance does it (TimescaleDB: its own policy). Raises ValueError for a relation
    that is not telemetry or a number below 1.
    """
    if relation not in PARTITIONED or (keep_months is not None and keep_months < 1):
        raise ValueError(f"retention of {relation!r}: {keep_months!r} months")
    async with connection.transaction():
        if keep_months is None:
            await connection.execute(DELETE_RETENTION, relation)
        else:
            await connection.execute(UPSERT_RETENTION, relation, keep_months)
        if await has_timescale(connection):
            await connection.execute(REMOVE_POLICY, relation)
            if keep_months is not None:
                await connection.execute(ADD_POLICY, relation, keep_months + 1)


async def drop_expired(connection: asyncpg.Connection, kept: dict[str, int], now: datetime) -> list[str]:
    """Drop the partitions that nobody keeps any longer; return their names. One that is in use waits its turn."""
    dropped = []
    for relation, keep_months in kept.items():
        for partition in expired(await partitions(connection, relation), keep_months, now):
            try:
                await drop_partition(connection, partition)
            except asyncpg.LockNotAvailableError:
                continue
            dropped.append(partition.name)
    return dropped
