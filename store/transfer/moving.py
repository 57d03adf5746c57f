"""What a tenant's move leaves where it was: where it is now, and nothing told twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from store.migrate import has_timescale
from store.transfer.relations import ALERTING, DEALINGS, RECORD, RELATIONS, Relation


class Placement(NamedTuple):
    """Where a tenant is, or is going to be (`moved_at` None)."""

    neighbour: str
    url: str
    began_at: datetime
    moved_at: datetime | None


SELECT_PLACEMENT: Final = """
SELECT neighbour, url, began_at, moved_at FROM placements WHERE tenant_id = $1
"""


async def placement(connection: asyncpg.Connection, tenant_id: int) -> Placement | None:
    """Return where a tenant was moved, None when it was not."""
    row = await connection.fetchrow(SELECT_PLACEMENT, tenant_id)
    return None if row is None else Placement(*row)


INSERT_PLACEMENT: Final = """
INSERT INTO placements (tenant_id, neighbour, url, began_at) VALUES ($1, $2, $3, $4)
"""


async def begin(connection: asyncpg.Connection, tenant_id: int, neighbour: str, url: str, now: datetime) -> None:
    """Note that the tenant is being moved: begun again, it goes on."""
    await connection.execute(INSERT_PLACEMENT, tenant_id, neighbour, url, now)


UPDATE_PLACEMENT: Final = """
UPDATE placements SET moved_at = $2 WHERE tenant_id = $1
"""


async def settle(connection: asyncpg.Connection, tenant_id: int, now: datetime) -> None:
    """Note that the tenant is read there from now on."""
    await connection.execute(UPDATE_PLACEMENT, tenant_id, now)


# What came to the disk here since a moment may have been received long before: from a spool, say.
SELECT_CAME_SINCE: Final = """
SELECT min(uplinks.received_at)
  FROM uplinks
  JOIN devices USING (device_id)
 WHERE devices.tenant_id = $1 AND uplinks.ingested_at >= $2 AND uplinks.received_at >= $2 - interval '31 days'
"""


async def came_since(connection: asyncpg.Connection, tenant_id: int, moment: datetime) -> datetime:
    """Return the earliest time of reception among what was stored since a moment, that moment if nothing was.

    Looks a month back: ingest keeps no spool for longer.
    """
    found = await connection.fetchval(SELECT_CAME_SINCE, tenant_id, moment)
    return min(found or moment, moment)


DELETE_WATCH: Final = """
DELETE FROM watched_tenants WHERE tenant_id = $1
"""

DELETE_CODEC_DECODERS: Final = """
DELETE FROM decoders WHERE codec_id IN (SELECT codec_id FROM codecs WHERE tenant_id = $1)
"""

MARK_ALL_HOURS: Final = """
INSERT INTO changed_hours (device_id, hour)
SELECT DISTINCT device_id, date_trunc('hour', measured_at, 'UTC')
  FROM measurements
 WHERE device_id IN (SELECT id FROM word_device)
"""

# TimescaleDB refuses to unpack much for a DELETE unless told.
UNPACK_ALL: Final = """
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0
"""

_SHARED: Final = ("models", "quantities", "decoders")


async def remove(connection: asyncpg.Connection, tenant_id: int, relations: Sequence[Relation]) -> int:
    """Delete the tenant's rows of these relations; return how many there were.

    In a transaction in which `know_words` was asked for this tenant. Aggregates follow by maintenance.
    """
    timescale = await has_timescale(connection)
    if timescale:
        await connection.execute(UNPACK_ALL)
    removed = 0
    for one in reversed(relations):
        if one.group == RECORD or one.name in _SHARED:
            continue
        if timescale and one.name in {"measurements_hourly", "measurements_daily"}:
            continue
        if one.name == "rules":
            await connection.execute(DELETE_WATCH, tenant_id)
        if one.name == "codecs":
            await connection.execute(DELETE_CODEC_DECODERS, tenant_id)
        if timescale and one.name == "measurements":
            await connection.execute(MARK_ALL_HOURS)
        status = await connection.execute(deletion(one), *([tenant_id] if "$1" in one.rows else []))
        removed += int(status.rsplit(maxsplit=1)[-1])
    return removed


def deletion(relation: Relation) -> str:
    """Return the statement that deletes a relation's rows."""
    joined, _, rest = relation.rows.partition("WHERE")
    if not joined:
        return f"DELETE FROM {relation.name} AS one {relation.rows}"  # noqa: S608 - names of relations.py
    table, _, condition = joined.removeprefix("JOIN ").partition(" ON ")
    return f"DELETE FROM {relation.name} AS one USING {table} WHERE {condition} AND {rest}"  # noqa: S608 - the same


def of_one_side() -> list[Relation]:
    """Return the relations that must be on one side alone: what is watched, found, told, chosen, billed."""
    return [one for one in RELATIONS if one.group in {ALERTING, DEALINGS}]


DELETE_TENANT: Final = """
DELETE FROM tenants WHERE tenant_id = $1
"""


async def delete_tenant(connection: asyncpg.Connection, tenant_id: int) -> None:
    """Delete the tenant itself, with its grants. Raises asyncpg.ForeignKeyViolationError while it has tenants below."""
    await connection.execute(DELETE_TENANT, tenant_id)
