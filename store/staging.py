"""Rows on their way in: binary COPY into a table, or into a staging table and from there what is not there yet."""

from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg

from store.batch import Key
from store.packing import PackedFrame
from store.rows import HEADER, TRAILER

UPLINK_COLUMNS: Final = (
    "received_at", "uplink_key", "ingested_at", "f_cnt", "device_id", "dev_addr", "payload",
    "frequency_hz", "decoder_id", "bandwidth_hz", "source_id", "f_port", "spreading_factor", "data_rate", "confirmed",
    "adr", "outcome", "detail", "object",
)  # fmt: skip
RECEPTION_COLUMNS: Final = (
    "received_at", "uplink_key", "device_id", "gateway_id", "rssi_dbm", "snr_db", "channel",
)  # fmt: skip
MEASUREMENT_COLUMNS: Final = ("measured_at", "received_at", "value", "device_id", "quantity_id", "channel")
LATEST_COLUMNS: Final = (
    "device_id", "layout", "measured_at", "received_at", "quantity_ids", "channels", "readings",
)  # fmt: skip

# At each commit the server empties all of a session's staging tables, used or not: a session has those that it needs.
CREATE_STAGED_LATEST: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_latest (LIKE latest_frames) ON COMMIT DELETE ROWS
"""

CREATE_STAGED: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_{table} (LIKE {table}) ON COMMIT DELETE ROWS
"""

INSERT_STAGED_UPLINKS: Final = """
INSERT INTO uplinks SELECT * FROM staged_uplinks
ON CONFLICT DO NOTHING
RETURNING device_id, received_at, uplink_key
"""

INSERT_STAGED_RECEPTIONS: Final = """
INSERT INTO receptions SELECT * FROM staged_receptions
ON CONFLICT DO NOTHING
"""

INSERT_STAGED_MEASUREMENTS: Final = """
INSERT INTO measurements SELECT * FROM staged_measurements
ON CONFLICT DO NOTHING
"""

# In the order of the primary key, so that two workers take the rows' locks in the same order.
UPSERT_STAGED_LATEST: Final = """
INSERT INTO latest_frames AS latest SELECT * FROM staged_latest ORDER BY device_id, layout
ON CONFLICT (device_id, layout) DO UPDATE
   SET measured_at = excluded.measured_at, received_at = excluded.received_at,
       quantity_ids = excluded.quantity_ids, channels = excluded.channels, readings = excluded.readings
 WHERE (excluded.measured_at, excluded.received_at) > (latest.measured_at, latest.received_at)
"""


_NO_ROWS: Final = len(HEADER) + len(TRAILER)


async def copy_rows(connection: asyncpg.Connection, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> bool:
    """Send rows as they are; return whether there were any."""
    data = b"".join((HEADER, *rows, TRAILER))
    if len(data) == _NO_ROWS:
        return False
    # A view goes out in one message. A file would be read in another thread, and bytes taken for a file's name.
    await connection.copy_to_table(table, source=memoryview(data), columns=columns, format="binary")  # type: ignore[arg-type]
    return True


async def _stage(connection: asyncpg.Connection, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> bool:
    """Copy into the staging table of `table`; return whether there were any rows."""
    there = [row for row in rows if row]
    if there:
        await connection.execute(CREATE_STAGED.format(table=table))
        await copy_rows(connection, f"staged_{table}", columns, there)
    return bool(there)


async def stage_uplinks(connection: asyncpg.Connection, frames: Iterable[PackedFrame]) -> set[Key]:
    """Write the uplinks that are not there yet, and all receptions; return the keys of those uplinks."""
    if not await _stage(connection, "uplinks", UPLINK_COLUMNS, [frame.uplink for frame in frames]):
        return set()
    new: set[Key] = {tuple(record) for record in await connection.fetch(INSERT_STAGED_UPLINKS)}
    if await _stage(connection, "receptions", RECEPTION_COLUMNS, [frame.receptions for frame in frames]):
        await connection.execute(INSERT_STAGED_RECEPTIONS)
    return new


async def stage_measurements(connection: asyncpg.Connection, rows: Iterable[bytes]) -> None:
    """Write the measurements that are not there yet."""
    if await _stage(connection, "measurements", MEASUREMENT_COLUMNS, rows):
        await connection.execute(INSERT_STAGED_MEASUREMENTS)


async def upsert_latest(connection: asyncpg.Connection, rows: Iterable[bytes]) -> None:
    """Write rows of `latest_frames`, where they are newer than those that are there."""
    if await copy_rows(connection, "staged_latest", LATEST_COLUMNS, rows):
        await connection.execute(UPSERT_STAGED_LATEST)


# asyncpg asks the server about each array type once a connection, in three statements within the time of the first one
# that has it: a slow server would never be done.
KNOW_TYPES: Final = """
SELECT $1::smallint[], $2::integer[], $3::bigint[], $4::float8[], $5::text[], $6::date[], $7::timestamptz[],
       $8::jsonb[], $9::boolean[]
"""
_KNOW_TYPES_WITHIN_S: Final = 60.0


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Make the staging table that every batch needs, and know the types. Call once, before the first batch."""
    await connection.prepare(KNOW_TYPES, timeout=_KNOW_TYPES_WITHIN_S)
    await connection.execute(CREATE_STAGED_LATEST)
