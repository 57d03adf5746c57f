"""How long telemetry and what is derived of it are kept: for ever, unless a number of months is set.

A number is set for a relation, or for the measurements of one class of quantities ("measurements/device"): battery and
signal are of use for a year, the indexes of meters for ten. Roll-ups and radio accounts outlive what they were made of.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, get_args

import asyncpg

from domain.quantities import Domain
from store.migrate import has_timescale
from store.partitions import PARTITIONED, drop_partition, expired, month_after, month_of, partitions

DERIVED: Final = ("measurements_hourly", "measurements_daily", "radio_accounts")
CLASSES: Final = tuple(f"measurements/{domain}" for domain in (*get_args(Domain), "foreign"))
_AGGREGATES: Final = ("measurements_hourly", "measurements_daily")
_DELETED_AT_ONCE: Final = 50_000  # rows of one round: the next goes on
_SLICES: Final = 24 * 60  # rounds in a day

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
    """Keep that many whole months of `relation` (PARTITIONED, DERIVED or CLASSES) from now on, or all of it (None).

    Nothing is dropped here: maintenance does it (TimescaleDB: its own policy). Raises ValueError for a relation
    that is not of these or a number below 1.
    """
    if relation not in (*PARTITIONED, *DERIVED, *CLASSES) or (keep_months is not None and keep_months < 1):
        raise ValueError(f"retention of {relation!r}: {keep_months!r} months")
    async with connection.transaction():
        if keep_months is None:
            await connection.execute(DELETE_RETENTION, relation)
        else:
            await connection.execute(UPSERT_RETENTION, relation, keep_months)
        if relation in (*PARTITIONED, *_AGGREGATES) and await has_timescale(connection):
            await connection.execute(REMOVE_POLICY, relation)
            if keep_months is not None:
                await connection.execute(ADD_POLICY, relation, keep_months + 1)


async def drop_expired(connection: asyncpg.Connection, kept: dict[str, int], now: datetime) -> list[str]:
    """Drop the partitions that nobody keeps any longer; return their names. One that is in use waits its turn."""
    dropped = []
    for relation, keep_months in kept.items():
        if relation not in PARTITIONED:
            continue
        for partition in expired(await partitions(connection, relation), keep_months, now):
            try:
                await drop_partition(connection, partition)
            except asyncpg.LockNotAvailableError:
                continue
            dropped.append(partition.name)
    return dropped


def rebuilt_from(kept: Mapping[str, int], now: datetime) -> datetime:
    """Return the moment since which hours can be rolled up anew: before it, some of what they are made of is gone."""
    months = [keep for relation, keep in kept.items() if relation == "measurements" or relation in CLASSES]
    return kept_from(min(months, default=None), now)


EXPIRE_HOURS: Final = """
DELETE FROM measurements_hourly
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM measurements_hourly WHERE hour < $1 LIMIT $2))
"""

EXPIRE_DAYS: Final = """
DELETE FROM measurements_daily
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM measurements_daily WHERE day < $1 LIMIT $2))
"""

EXPIRE_RADIO_ACCOUNTS: Final = """
DELETE FROM radio_accounts
 WHERE ctid = ANY (ARRAY(SELECT ctid FROM radio_accounts
                          WHERE day < ($1::timestamptz AT TIME ZONE 'UTC')::date LIMIT $2))
"""

_DELETE_BY_RELATION: Final = {
    "measurements_hourly": EXPIRE_HOURS,
    "measurements_daily": EXPIRE_DAYS,
    "radio_accounts": EXPIRE_RADIO_ACCOUNTS,
}

# One slice of the devices a round, so that each has its turn once a day and no round reads them all.
DELETE_CLASS: Final = """
DELETE FROM measurements
 WHERE device_id = ANY (ARRAY(SELECT device_id FROM devices WHERE device_id % $3 = $4))
   AND quantity_id = ANY (ARRAY(SELECT quantity_id FROM quantities WHERE domain = $2))
   AND measured_at < $1
"""


async def delete_expired(
    connection: asyncpg.Connection, kept: dict[str, int], now: datetime, *, slices: int = _SLICES
) -> int:
    """Delete rows of roll-ups, radio accounts and classes that nobody keeps any longer, a bounded part of them.

    Returns how many. TimescaleDB drops its roll-ups by its own policy.
    """
    timescale, deleted = await has_timescale(connection), 0
    for relation, keep_months in kept.items():
        until = kept_from(keep_months, now)
        if relation in DERIVED and not (timescale and relation in _AGGREGATES):
            deleted += _count(await connection.execute(_DELETE_BY_RELATION[relation], until, _DELETED_AT_ONCE))
        elif relation in CLASSES:
            turn = int(now.timestamp() // 60) % slices
            domain = relation.partition("/")[2]
            deleted += _count(await connection.execute(DELETE_CLASS, until, domain, slices, turn))
    return deleted


def _count(status: str) -> int:
    """Return the number of "DELETE n"."""
    return int(status.rpartition(" ")[2])
