"""Write a batch of ingest in one transaction, each uplink at most once.

The fast path is COPY straight into the tables: the unique indexes refuse a redelivery with error 23505, and
only then the whole batch goes through staging tables with ON CONFLICT DO NOTHING, which also tells which
uplinks were new. So it is with partitions: they are made when the server misses one (error 23514). Both cost
nothing while all is well (docs/benchmarks.md).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from store.accounts import Counts, add_accounts, count_frames, hint, insert_events, insert_quarantined
from store.batch import DUPLICATE, IGNORED, QUARANTINED, STORED, Key
from store.changes import Changes
from store.newest import newest_rows
from store.packing import Packed, PackedFrame
from store.partitions import ensure_partitions
from store.rows import at, changed_hour
from store.staging import (
    MEASUREMENT_COLUMNS,
    RECEPTION_COLUMNS,
    UPLINK_COLUMNS,
    copy_rows,
    stage_measurements,
    stage_uplinks,
    upsert_latest,
)


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


BEGIN: Final = "BEGIN"

# The hint has a transaction of its own, in the same round trip: whoever notifies holds a lock of the whole server until
# its commit is on the disk, so that no two batches would be committed at once (docs/benchmarks.md).
COMMIT: Final = "COMMIT; NOTIFY samara_committed, '{hint}'"

ROLLBACK: Final = "ROLLBACK"

TRANSACTION_STATUS: Final = """
SELECT pg_xact_status($1::text::xid8)
"""


async def committed(connection: asyncpg.Connection, transaction_id: str) -> bool | None:
    """Say whether that transaction committed; None while the server has not decided yet."""
    status = await connection.fetchval(TRANSACTION_STATUS, transaction_id)
    return None if status == "in progress" else status == "committed"


async def write(
    connection: asyncpg.Connection,
    batch: Packed,
    *,
    worker: str,
    changes: Changes,
    now_s: float,
    complete_duplicates: bool = False,
) -> Written:
    """Store the batch in one transaction and return the counts.

    `changes` is shared by the writers of a process; `now_s` is its monotonic clock. `complete_duplicates` stores
    the measurements of uplinks that are stored already: what a replay from quarantine wants, and a redelivery does
    not. Raises CommitUnknownError when nobody knows whether it took, and what asyncpg raises otherwise: then
    nothing of the batch is stored.
    """
    transaction = _Transaction(connection, batch, worker, changes, now_s)
    way = transaction.complete if complete_duplicates else transaction.copy
    may_miss_partitions = True
    while True:
        try:
            return await transaction.run(way)
        except asyncpg.UniqueViolationError:
            if way != transaction.copy:
                raise
            way = transaction.stage
        except asyncpg.CheckViolationError:
            if not may_miss_partitions:
                raise
            may_miss_partitions = False
            await make_partitions(connection, batch)


async def make_partitions(connection: asyncpg.Connection, batch: Packed) -> None:
    """Make the months that the batch needs: maintenance does it in advance, but for messages from long ago."""
    received = {_month(frame.key[1]) for frame in batch.frames}
    measured = received | {_month(at(hour_us)) for frame in batch.frames for _, hour_us in frame.marks}
    if received:
        await ensure_partitions(connection, "uplinks", received)
        await ensure_partitions(connection, "receptions", received)
        await ensure_partitions(connection, "measurements", measured)
    if batch.events:
        await ensure_partitions(connection, "network_events", {_month(event.row[0]) for event in batch.events})


def _month(at: datetime) -> date:
    return date(at.year, at.month, 1)


class _Stored(NamedTuple):
    """What a way of writing did: the uplinks that were new, and the frames whose measurements were written."""

    new: set[Key] | None  # None: all of them
    measured: Sequence[PackedFrame]


class _Transaction:
    """One batch on one connection; the ways to write it differ in what they do about a redelivery."""

    def __init__(
        self, connection: asyncpg.Connection, batch: Packed, worker: str, changes: Changes, now_s: float
    ) -> None:
        self._connection = connection
        self._batch = batch
        self._worker = worker
        self._changes = changes
        self._now_s = now_s

    async def run(self, way: Callable[[], Awaitable[_Stored]]) -> Written:
        """Write everything, and commit."""
        connection, batch = self._connection, self._batch
        await connection.execute(BEGIN)
        try:
            stored = await way()
            marks = self._changes.to_write({mark for one in stored.measured for mark in one.marks}, self._now_s)
            await copy_rows(connection, "changed_hours", ("device_id", "hour"), (changed_hour(*mark) for mark in marks))
            await upsert_latest(connection, newest_rows([one.latest for one in _stored(batch.frames, stored.new)]))
            counts = count_frames(batch.frames, stored.new)
            counts += await insert_events(connection, batch)
            counts += await insert_quarantined(connection, batch)
            counts += Counter({(account, IGNORED): count for account, count in batch.ignored.items()})
            transaction_id, began_at = await add_accounts(connection, counts, batch, self._worker)
        except (TimeoutError, asyncio.CancelledError):
            connection.terminate()  # the network may be cut, and a ROLLBACK would wait for its answer
            raise
        except BaseException:
            if not connection.is_closed():
                await connection.execute(ROLLBACK)
            raise
        written = _sum(counts, batch)
        try:
            await connection.execute(COMMIT.format(hint=hint(batch.frames)))
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise CommitUnknownError(transaction_id, written) from error
        self._changes.committed(marks, began_at, self._now_s)
        return written

    async def copy(self) -> _Stored:
        """Write everything as new; raise UniqueViolationError when something was not."""
        connection, frames = self._connection, self._batch.frames
        await copy_rows(connection, "uplinks", UPLINK_COLUMNS, [one.uplink for one in frames])
        await copy_rows(connection, "receptions", RECEPTION_COLUMNS, [one.receptions for one in frames])
        await copy_rows(connection, "measurements", MEASUREMENT_COLUMNS, [one.live for one in frames])
        await stage_measurements(connection, [one.past for one in frames])
        return _Stored(None, frames)

    async def stage(self) -> _Stored:
        """Write what is not there yet."""
        new = await self._stage()
        return await self._measure(new, _stored(self._batch.frames, new))

    async def complete(self) -> _Stored:
        """As `stage`, with the measurements of uplinks that were there already."""
        return await self._measure(await self._stage(), self._batch.frames)

    async def _stage(self) -> set[Key]:
        return await stage_uplinks(self._connection, self._batch.frames)

    async def _measure(self, new: set[Key], frames: Sequence[PackedFrame]) -> _Stored:
        await stage_measurements(self._connection, [rows for one in frames for rows in (one.live, one.past)])
        return _Stored(new, frames)


def _stored(frames: Sequence[PackedFrame], new: set[Key] | None) -> Sequence[PackedFrame]:
    """Return the frames that were new; None is all of them."""
    return frames if new is None else [frame for frame in frames if frame.key in new]


def _sum(counts: Counts, batch: Packed) -> Written:
    by_outcome: Counter[str] = Counter()
    for (_, outcome), count in counts.items():
        by_outcome[outcome] += count
    set_aside = len(batch.quarantined) - by_outcome[QUARANTINED]
    return Written(by_outcome[STORED], by_outcome[DUPLICATE], by_outcome[QUARANTINED], set_aside)
