"""Stored uplinks, read to be decoded again, and what changes with that: one transaction a portion.

A portion is read in one snapshot (REPEATABLE READ): what ingest commits meanwhile is neither seen nor touched, and
two who change one row end in a SerializationError for the later, which tries again. It writes in the order of
ingest (uplinks, measurements, marks, latest frames), device by device within each, and gives up its locks before
ingest would have to look for a deadlock. Rules are evaluated again from the earliest change, as for late measurements.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import asyncpg

from store.arrivals import tell_arrivals
from store.batch import Live
from store.changes import Mark
from store.newest import Latest, latest_of, row_of
from store.partitions import SELECT_MISSING
from store.rows import changed_hour, measurement, microseconds
from store.staging import copy_rows, stage_measurements, upsert_latest

# What another try mends: somebody else was at the same rows.
CONTENDED: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class StoredUplink(NamedTuple):
    """What decoding again needs of an uplink. `object_json` is what the network server's codec made of it."""

    received_at: datetime
    uplink_key: int
    decoder_id: int | None
    f_port: int | None
    outcome: str
    detail: str
    payload: bytes
    object_json: str | None


class Held(NamedTuple):
    """A measurement of a device as it is stored."""

    quantity_id: int
    channel: int
    measured_at: datetime
    received_at: datetime
    value: float


class Stretch(NamedTuple):
    """Uplinks of one device, all that it has from the first to the last."""

    device_id: int
    uplinks: Sequence[StoredUplink]

    @property
    def first_at(self) -> datetime:
        """When the first of them was received."""
        return self.uplinks[0].received_at

    @property
    def last_at(self) -> datetime:
        """When the last of them was received."""
        return self.uplinks[-1].received_at


class Verdict(NamedTuple):
    """What an uplink is to say of its decoding from now on. Its object is replaced only with `has_object`."""

    received_at: datetime
    uplink_key: int
    decoder_id: int | None
    outcome: str
    detail: str
    has_object: bool = False
    object_json: str | None = None


class Revision(NamedTuple):
    """What is to be changed about one stretch. `latest_gone` are layouts; `lost_series` lost their latest row."""

    stretch: Stretch
    verdicts: list[Verdict]
    gone: list[Held]
    put: list[Held]
    latest_gone: list[int]
    latest_put: list[Latest]
    lost_series: set[tuple[int, int]]
    marks: set[Mark]


# Small transactions never wait long for others; a larger time limit than ingest's 1 s deadlock check would let
# ingest find itself in a deadlock and start again. Plans are made anew each time: their cost hangs on the range,
# and TimescaleDB looks into a compressed chunk by constants alone.
BEGIN_PORTION: Final = """
SET LOCAL lock_timeout = '500ms';
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
"""

SELECT_UPLINKS: Final = """
SELECT received_at, uplink_key, decoder_id, f_port, outcome, detail, payload, object::text
  FROM uplinks
 WHERE device_id = $1 AND received_at > $2 AND received_at < $3
 ORDER BY received_at
 FETCH FIRST ($4::bigint) ROWS WITH TIES
"""


async def uplinks_after(
    connection: asyncpg.Connection, device_id: int, after: datetime, until: datetime, limit: int
) -> list[StoredUplink]:
    """Return about `limit` uplinks of a device by their time; those of one moment are never parted."""
    return [StoredUplink(*row) for row in await connection.fetch(SELECT_UPLINKS, device_id, after, until, limit)]


SELECT_HELD: Final = """
SELECT quantity_id, channel, measured_at, received_at, value
  FROM measurements
 WHERE device_id = $1 AND measured_at BETWEEN $2 AND $3 AND received_at BETWEEN $4 AND $5
"""


async def held_by(
    connection: asyncpg.Connection, stretch: Stretch, measured_from: datetime, measured_to: datetime
) -> list[Held]:
    """Return the measurements that the uplinks of a stretch brought, as far as they lie in that time."""
    rows = await connection.fetch(
        SELECT_HELD, stretch.device_id, measured_from, measured_to, stretch.first_at, stretch.last_at
    )
    return [Held(*row) for row in rows]


SELECT_HOLDERS: Final = """
SELECT held.quantity_id, held.channel, held.measured_at, held.received_at, held.value
  FROM unnest($2::smallint[], $3::smallint[], $4::timestamptz[]) AS wanted (quantity_id, channel, measured_at)
  JOIN measurements AS held USING (quantity_id, channel, measured_at)
 WHERE held.device_id = $1 AND held.measured_at BETWEEN $5 AND $6
"""


async def holders(connection: asyncpg.Connection, device_id: int, wanted: Sequence[Held]) -> list[Held]:
    """Return what is stored under the keys of these measurements, whichever uplink brought it."""
    if not wanted:
        return []
    times = [one.measured_at for one in wanted]
    rows = await connection.fetch(SELECT_HOLDERS, device_id, *_keys(wanted), min(times), max(times))
    return [Held(*row) for row in rows]


def _keys(held: Sequence[Held]) -> tuple[list[int], list[int], list[datetime]]:
    return [one.quantity_id for one in held], [one.channel for one in held], [one.measured_at for one in held]


class LatestRow(NamedTuple):
    """A row of latest_frames, and the (quantity_id, channel) that it tells."""

    latest: Latest
    series: Sequence[tuple[int, int]]


SELECT_LATEST_ROWS: Final = """
SELECT layout, measured_at, received_at, quantity_ids, channels, readings
  FROM latest_frames
 WHERE device_id = $1
"""


async def latest_rows(connection: asyncpg.Connection, device_id: int) -> list[LatestRow]:
    """Return what latest_frames has of a device."""
    found = []
    for number, measured_at, received_at, *held in await connection.fetch(SELECT_LATEST_ROWS, device_id):
        one = _latest_row(device_id, measured_at, received_at, held)
        found.append(LatestRow(one._replace(layout=number), list(zip(*held[:2], strict=True))))
    return found


def _latest_row(device_id: int, measured_at: datetime, received_at: datetime, held: Iterable[Iterable[Any]]) -> Latest:
    return latest_of(device_id, microseconds(measured_at), microseconds(received_at), Live(*map(tuple, held)))


async def missing_months(connection: asyncpg.Connection, revisions: Iterable[Revision]) -> list[date]:
    """Return the months of measurements for which there is no partition yet."""
    months = {one.measured_at.date().replace(day=1) for revision in revisions for one in revision.put}
    return [record["month"] for record in await connection.fetch(SELECT_MISSING, "measurements", sorted(months))]


UPDATE_UPLINKS: Final = """
UPDATE uplinks
   SET decoder_id = verdict.decoder_id, outcome = verdict.outcome, detail = verdict.detail,
       object = CASE WHEN verdict.has_object THEN verdict.object ELSE uplinks.object END
  FROM unnest($2::timestamptz[], $3::bigint[], $4::integer[], $5::text[], $6::text[], $7::boolean[], $8::jsonb[])
    AS verdict (received_at, uplink_key, decoder_id, outcome, detail, has_object, object)
 WHERE uplinks.device_id = $1
   AND uplinks.received_at BETWEEN $9 AND $10
   AND uplinks.received_at = verdict.received_at
   AND uplinks.uplink_key = verdict.uplink_key
"""

DELETE_MEASUREMENTS: Final = """
DELETE FROM measurements AS held
 USING unnest($2::smallint[], $3::smallint[], $4::timestamptz[]) AS gone (quantity_id, channel, measured_at)
 WHERE held.device_id = $1
   AND held.measured_at BETWEEN $5 AND $6
   AND held.quantity_id = gone.quantity_id
   AND held.channel = gone.channel
   AND held.measured_at = gone.measured_at
"""

DELETE_LATEST: Final = """
DELETE FROM latest_frames WHERE device_id = $1 AND layout = ANY($2::integer[])
"""


async def write_revisions(connection: asyncpg.Connection, revisions: Sequence[Revision]) -> None:
    """Make the changes. `revisions` are in the order of their devices; call it in the transaction that read them."""
    for revision in revisions:
        if revision.verdicts:
            stretch, columns = revision.stretch, map(list, zip(*revision.verdicts, strict=True))
            await connection.execute(UPDATE_UPLINKS, stretch.device_id, *columns, stretch.first_at, stretch.last_at)
    for revision in revisions:
        if revision.gone:
            times = [one.measured_at for one in revision.gone]
            await connection.execute(
                DELETE_MEASUREMENTS, revision.stretch.device_id, *_keys(revision.gone), min(times), max(times)
            )
    await stage_measurements(connection, (_row(one.stretch.device_id, held) for one in revisions for held in one.put))
    marks = (changed_hour(*mark) for revision in revisions for mark in revision.marks)
    await copy_rows(connection, "changed_hours", ("device_id", "hour"), marks)
    await _write_latest(connection, revisions)
    changed = ((one.stretch.device_id, held.measured_at) for one in revisions for held in (*one.gone, *one.put))
    await tell_arrivals(connection, changed)


def _row(device_id: int, held: Held) -> bytes:
    quantity_id, channel, measured_at, received_at, value = held
    at_us = microseconds(measured_at)
    received_us = at_us if received_at == measured_at else microseconds(received_at)
    return measurement(at_us, received_us, device_id, quantity_id, channel, value)


# The newest that is stored of what no latest frame tells any more.
SELECT_LOST: Final = """
WITH lost AS (
  SELECT quantity_id, channel FROM unnest($2::smallint[], $3::smallint[]) AS one (quantity_id, channel)
  EXCEPT
  SELECT quantity_id, channel FROM latest WHERE device_id = $1
)
SELECT measured_at, received_at, array_agg(quantity_id ORDER BY quantity_id, channel) AS quantity_ids,
       array_agg(channel ORDER BY quantity_id, channel) AS channels,
       array_agg(value ORDER BY quantity_id, channel) AS readings
  FROM lost
 CROSS JOIN LATERAL (SELECT measured_at, received_at, value
                       FROM measurements
                      WHERE device_id = $1 AND quantity_id = lost.quantity_id AND channel = lost.channel
                      ORDER BY measured_at DESC
                      LIMIT 1) AS newest
 GROUP BY measured_at, received_at
"""


async def _write_latest(connection: asyncpg.Connection, revisions: Sequence[Revision]) -> None:
    for revision in revisions:
        if revision.latest_gone:
            await connection.execute(DELETE_LATEST, revision.stretch.device_id, revision.latest_gone)
    await upsert_latest(connection, [row_of(one) for revision in revisions for one in revision.latest_put])
    found: list[Latest] = []
    for revision in revisions:
        if revision.lost_series:
            series = map(list, zip(*sorted(revision.lost_series), strict=True))
            rows = await connection.fetch(SELECT_LOST, revision.stretch.device_id, *series)
            found += [
                _latest_row(revision.stretch.device_id, measured_at, received_at, told)
                for measured_at, received_at, *told in rows
            ]
    await upsert_latest(connection, map(row_of, found))
