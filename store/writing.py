"""Write a batch of ingest in one transaction, each uplink at most once.

The fast path is COPY straight into the tables: the unique indexes refuse a redelivery with error 23505, and
only then the whole batch goes through staging tables with ON CONFLICT DO NOTHING, which also tells which
uplinks were new. Costs nothing while there is no redelivery (docs/benchmarks.md).
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final, NamedTuple

import asyncpg

from store.batch import DUPLICATE, QUARANTINED, STORED, AccountKey, Batch, Frame, Latest
from store.partitions import ensure_partitions
from store.rows import HEADER, TRAILER, changed_hour

UPLINK_COLUMNS: Final = (
    "received_at", "uplink_key", "ingested_at", "f_cnt", "frequency_hz", "device_id", "decoder_id", "bandwidth_hz",
    "source_id", "f_port", "spreading_factor", "data_rate", "confirmed", "adr", "dev_addr", "outcome", "detail",
    "payload", "object",
)  # fmt: skip
RECEPTION_COLUMNS: Final = (
    "received_at", "uplink_key", "device_id", "gateway_id", "rssi_dbm", "snr_db", "channel",
)  # fmt: skip
MEASUREMENT_COLUMNS: Final = ("measured_at", "received_at", "value", "device_id", "quantity_id", "channel")
LATEST_COLUMNS: Final = (
    "device_id", "layout", "measured_at", "received_at", "quantity_ids", "channels", "readings",
)  # fmt: skip

CREATE_STAGING: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_latest (LIKE latest_frames) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_uplinks (LIKE uplinks) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_receptions (LIKE receptions) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS staged_measurements (LIKE measurements) ON COMMIT DELETE ROWS;
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

INSERT_EVENTS: Final = """
INSERT INTO network_events
       (received_at, event_key, ingested_at, device_id, gateway_id, source_id, kind, data)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::timestamptz[], $4::integer[], $5::integer[],
                     $6::smallint[], $7::text[], $8::jsonb[])
ON CONFLICT DO NOTHING
RETURNING received_at, event_key
"""

INSERT_QUARANTINED: Final = """
INSERT INTO quarantine AS known
       (digest, first_at, last_at, source_id, lns, topic, reason, detail, dev_eui, tenant_id, day, kind,
        message, message_bytes)
VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (digest) DO UPDATE SET times = known.times + 1, last_at = excluded.last_at, replayed_at = NULL
"""

# The account, the gateways heard, the hint to whoever waits for commits, and this transaction's number: one round trip.
ADD_ACCOUNTS: Final = """
WITH counted AS (
  INSERT INTO ingest_accounts AS known (day, source_id, tenant_id, kind, outcome, worker, messages)
  SELECT day, source_id, tenant_id, kind, outcome, $7, messages
    FROM unnest($1::date[], $2::smallint[], $3::integer[], $4::text[], $5::text[], $6::bigint[])
      AS one (day, source_id, tenant_id, kind, outcome, messages)
  ON CONFLICT (day, source_id, tenant_id, kind, outcome, worker)
  DO UPDATE SET messages = known.messages + excluded.messages
), heard AS (
  INSERT INTO gateways_heard AS known (gateway_id, worker, heard_at)
  SELECT gateway_id, $7, heard_at FROM unnest($9::integer[], $10::timestamptz[]) AS one (gateway_id, heard_at)
  ON CONFLICT (gateway_id, worker) DO UPDATE SET heard_at = excluded.heard_at
   WHERE excluded.heard_at > known.heard_at
)
SELECT pg_notify('samara_committed', $8), pg_current_xact_id()::text
"""

TRANSACTION_STATUS: Final = """
SELECT pg_xact_status($1::text::xid8)
"""

_HINT_DEVICES: Final = 500  # a NOTIFY payload holds 8,000 bytes; beyond, "*" says "many"


class Written(NamedTuple):
    """What became of a batch: of its messages, and of readings that were set aside though their message was stored."""

    stored: int
    duplicates: int
    quarantined: int
    readings_set_aside: int


class CommitUnknownError(Exception):
    """The connection died during COMMIT; ask `committed(connection, transaction_id)` on another."""

    def __init__(self, transaction_id: str, written: Written) -> None:
        super().__init__(f"transaction {transaction_id}")
        self.transaction_id = transaction_id
        self.written = written


async def prepare_connection(connection: asyncpg.Connection) -> None:
    """Make the staging tables of one connection. Call once, before the first batch."""
    await connection.execute(CREATE_STAGING)


async def committed(connection: asyncpg.Connection, transaction_id: str) -> bool | None:
    """Say whether that transaction committed; None while the server has not decided yet."""
    status = await connection.fetchval(TRANSACTION_STATUS, transaction_id)
    return None if status == "in progress" else status == "committed"


async def write(
    connection: asyncpg.Connection, batch: Batch, *, worker: str, complete_duplicates: bool = False
) -> Written:
    """Store the batch in one transaction and return the counts.

    `complete_duplicates` stores the measurements of uplinks that are stored already: what a replay from
    quarantine wants, and a redelivery does not. Raises CommitUnknownError when nobody knows whether it took,
    and what asyncpg raises otherwise: then nothing of the batch is stored.
    """
    await _partitions(connection, batch)
    if not complete_duplicates:
        try:
            return await _transact(connection, batch, worker, _copy)
        except asyncpg.UniqueViolationError:
            pass
    return await _transact(connection, batch, worker, _stage_all if complete_duplicates else _stage)


async def _partitions(connection: asyncpg.Connection, batch: Batch) -> None:
    received = {_month(frame.key[1]) for frame in batch.frames}
    measured = received | {_month(at) for frame in batch.frames for at in frame.past}
    if received:
        await ensure_partitions(connection, "uplinks", received)
        await ensure_partitions(connection, "receptions", received)
        await ensure_partitions(connection, "measurements", measured)
    if batch.events:
        await ensure_partitions(connection, "network_events", {_month(event.row[0]) for event in batch.events})


def _month(at: datetime) -> date:
    return date(at.year, at.month, 1)


Path = Any  # one of _copy, _stage, _stage_all


async def _transact(connection: asyncpg.Connection, batch: Batch, worker: str, path: Path) -> Written:
    transaction = connection.transaction()
    await transaction.start()
    try:
        new = await path(connection, batch.frames)
        counts = _count_frames(batch.frames, new)
        await _upsert_latest(connection, batch.frames, new)
        counts += await _insert_events(connection, batch)
        counts += await _insert_quarantined(connection, batch)
        transaction_id = await _account(connection, counts, batch, worker)
    except (TimeoutError, asyncio.CancelledError):
        connection.terminate()  # the network may be cut, and a ROLLBACK would wait for its answer
        raise
    except BaseException:
        if not connection.is_closed():
            await transaction.rollback()
        raise
    written = _sum(counts, batch)
    try:
        await transaction.commit()
    except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
        raise CommitUnknownError(transaction_id, written) from error
    return written


async def _copy(connection: asyncpg.Connection, frames: Sequence[Frame]) -> None:
    """Write everything as new. Returns None, for "all"; raises UniqueViolationError when something was not."""
    if not frames:
        return
    await _copy_rows(connection, "uplinks", UPLINK_COLUMNS, (frame.uplink for frame in frames))
    await _copy_rows(connection, "receptions", RECEPTION_COLUMNS, (frame.receptions for frame in frames))
    await _copy_rows(connection, "measurements", MEASUREMENT_COLUMNS, (frame.live for frame in frames))
    await _stage_measurements(connection, (frame.historical for frame in frames))
    await _copy_rows(connection, "changed_hours", ("device_id", "hour"), _changed(frames))


async def _stage(connection: asyncpg.Connection, frames: Sequence[Frame]) -> set[tuple[int, datetime, int]]:
    """Write what is not there yet, and return the keys of the uplinks that were new."""
    new = await _stage_uplinks(connection, frames)
    fresh = [frame for frame in frames if frame.key in new]
    await _stage_measurements(connection, (frame.live + frame.historical for frame in fresh))
    await _copy_rows(connection, "changed_hours", ("device_id", "hour"), _changed(fresh))
    return new


async def _stage_all(connection: asyncpg.Connection, frames: Sequence[Frame]) -> set[tuple[int, datetime, int]]:
    """As `_stage`, with the measurements of uplinks that were there already."""
    new = await _stage_uplinks(connection, frames)
    await _stage_measurements(connection, (frame.live + frame.historical for frame in frames))
    await _copy_rows(connection, "changed_hours", ("device_id", "hour"), _changed(frames))
    return new


async def _stage_uplinks(connection: asyncpg.Connection, frames: Sequence[Frame]) -> set[tuple[int, datetime, int]]:
    await _copy_rows(connection, "staged_uplinks", UPLINK_COLUMNS, (frame.uplink for frame in frames))
    new = {tuple(record) for record in await connection.fetch(INSERT_STAGED_UPLINKS)}
    receptions = (frame.receptions for frame in frames)
    if receptions:
        await _copy_rows(connection, "staged_receptions", RECEPTION_COLUMNS, receptions)
        await connection.execute(INSERT_STAGED_RECEPTIONS)
    return new


async def _stage_measurements(connection: asyncpg.Connection, rows: Iterable[bytes]) -> None:
    if await _copy_rows(connection, "staged_measurements", MEASUREMENT_COLUMNS, rows):
        await connection.execute(INSERT_STAGED_MEASUREMENTS)


async def _upsert_latest(
    connection: asyncpg.Connection, frames: Sequence[Frame], new: set[tuple[int, datetime, int]] | None
) -> None:
    newest: dict[tuple[int, int], Latest] = {}
    for frame in frames:
        if new is None or frame.key in new:
            for one in frame.latest:
                known = newest.get(one[:2])
                if known is None or one[2:4] > known[2:4]:
                    newest[one[:2]] = one
    if await _copy_rows(connection, "staged_latest", LATEST_COLUMNS, (one.row for one in newest.values())):
        await connection.execute(UPSERT_STAGED_LATEST)


async def _insert_events(connection: asyncpg.Connection, batch: Batch) -> Counter[tuple[AccountKey, str]]:
    if not batch.events:
        return Counter()
    columns = list(zip(*(event.row for event in batch.events), strict=True))
    new = {tuple(record) for record in await connection.fetch(INSERT_EVENTS, *columns)}
    counts: Counter[tuple[AccountKey, str]] = Counter()
    for event in batch.events:
        key = event.row[:2]
        counts[event.account, STORED if key in new else DUPLICATE] += 1
        new.discard(key)  # the second of two equal ones in this batch is a duplicate
    return counts


async def _insert_quarantined(connection: asyncpg.Connection, batch: Batch) -> Counter[tuple[AccountKey, str]]:
    if batch.quarantined:
        rows = sorted((one.row for one in batch.quarantined), key=lambda row: row[0])  # locks in one order
        await connection.executemany(INSERT_QUARANTINED, rows)
    return Counter((one.account, QUARANTINED) for one in batch.quarantined if one.account is not None)


def _count_frames(
    frames: Sequence[Frame], new: set[tuple[int, datetime, int]] | None
) -> Counter[tuple[AccountKey, str]]:
    if new is None:
        return Counter((frame.account, STORED) for frame in frames)
    counts: Counter[tuple[AccountKey, str]] = Counter()
    unseen = set(new)
    for frame in frames:
        counts[frame.account, STORED if frame.key in unseen else DUPLICATE] += 1
        unseen.discard(frame.key)
    return counts


async def _account(
    connection: asyncpg.Connection, counts: Counter[tuple[AccountKey, str]], batch: Batch, worker: str
) -> str:
    keys = sorted(counts, key=repr)
    accounts = [account for account, _ in keys]
    devices = {frame.key[0] for frame in batch.frames}
    record = await connection.fetchrow(
        ADD_ACCOUNTS,
        [account.day for account in accounts],
        [account.source_id for account in accounts],
        [account.tenant_id for account in accounts],
        [account.kind for account in accounts],
        [outcome for _, outcome in keys],
        [counts[key] for key in keys],
        worker,
        ",".join(map(str, sorted(devices))) if len(devices) <= _HINT_DEVICES else "*",
        sorted(batch.heard),
        [batch.heard[gateway_id] for gateway_id in sorted(batch.heard)],
    )
    assert record is not None
    transaction_id: str = record[1]
    return transaction_id


async def _copy_rows(connection: asyncpg.Connection, table: str, columns: Sequence[str], rows: Iterable[bytes]) -> bool:
    """Send rows as they are; return whether there were any."""
    data = b"".join(rows)
    if data:
        # Closed at once: asyncpg leaves a cycle around it, and the bytes would wait for the garbage collector.
        with BytesIO(b"".join((HEADER, data, TRAILER))) as source:
            await connection.copy_to_table(table, source=source, columns=columns, format="binary")
    return bool(data)


def _changed(frames: Iterable[Frame]) -> Iterator[bytes]:
    for device_id, hour_us in {(frame.key[0], hour_us) for frame in frames for hour_us in frame.hours}:
        yield changed_hour(device_id, hour_us)


def _sum(counts: Counter[tuple[AccountKey, str]], batch: Batch) -> Written:
    by_outcome: Counter[str] = Counter()
    for (_, outcome), count in counts.items():
        by_outcome[outcome] += count
    set_aside = len(batch.quarantined) - by_outcome[QUARANTINED]
    return Written(by_outcome[STORED], by_outcome[DUPLICATE], by_outcome[QUARANTINED], set_aside)
