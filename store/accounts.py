"""What became of every message: counted in the transaction that stores it, so that it adds up."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final

import asyncpg

from domain.downlinks import TOLD_BY
from store.batch import DUPLICATE, QUARANTINED, STORED, AccountKey, Key
from store.downlinks.hearing import note
from store.packing import Packed, PackedFrame

Counts = Counter[tuple[AccountKey, str]]  # by account and outcome

_account: Final = attrgetter("account")
_HINT_DEVICES: Final = 500  # a NOTIFY payload holds 8,000 bytes; beyond, "*" says "many"

INSERT_EVENTS: Final = """
INSERT INTO network_events
       (received_at, event_key, ingested_at, device_id, gateway_id, source_id, kind, data)
SELECT * FROM unnest($1::timestamptz[], $2::bigint[], $3::timestamptz[], $4::integer[], $5::integer[],
                     $6::smallint[], $7::text[], $8::jsonb[])
ON CONFLICT DO NOTHING
RETURNING received_at, event_key
"""


async def insert_events(connection: asyncpg.Connection, batch: Packed) -> Counts:
    """Write the network events that are not there yet, and count them."""
    if not batch.events:
        return Counter()
    columns = list(zip(*(event.row for event in batch.events), strict=True))
    new = {tuple(record) for record in await connection.fetch(INSERT_EVENTS, *columns)}
    told = {event.row[3] for event in batch.events if event.row[6] in TOLD_BY and event.row[3] is not None}
    if told:
        await note(connection, told, batch.events[0].row[2])
    counts: Counts = Counter()
    for event in batch.events:
        key = event.row[:2]
        counts[event.account, STORED if key in new else DUPLICATE] += 1
        new.discard(key)  # the second of two equal ones in this batch is a duplicate
    return counts


INSERT_QUARANTINED: Final = """
INSERT INTO quarantine AS known
       (digest, first_at, last_at, source_id, lns, topic, reason, detail, dev_eui, tenant_id, day, kind,
        message, message_bytes)
VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (digest) DO UPDATE SET times = known.times + 1, last_at = excluded.last_at, replayed_at = NULL
"""


async def insert_quarantined(connection: asyncpg.Connection, batch: Packed) -> Counts:
    """Set aside what could not be stored, and count its messages."""
    if batch.quarantined:
        rows = sorted((one.row for one in batch.quarantined), key=lambda row: row[0])  # locks in one order
        await connection.executemany(INSERT_QUARANTINED, rows)
    return Counter((one.account, QUARANTINED) for one in batch.quarantined if one.account is not None)


def count_frames(frames: Sequence[PackedFrame], new: set[Key] | None) -> Counts:
    """Count uplinks as stored or duplicate. `new` is None when all were new."""
    if new is None:
        return Counter({(account, STORED): count for account, count in Counter(map(_account, frames)).items()})
    counts: Counts = Counter()
    unseen = set(new)
    for frame in frames:
        counts[frame.account, STORED if frame.key in unseen else DUPLICATE] += 1
        unseen.discard(frame.key)
    return counts


# The account, the gateways heard, what alerting is to look at, and this transaction's number: one round trip.
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
  SELECT gateway_id, $7, heard_at FROM unnest($8::integer[], $9::timestamptz[]) AS one (gateway_id, heard_at)
  ON CONFLICT (gateway_id, worker) DO UPDATE SET heard_at = excluded.heard_at
   WHERE excluded.heard_at > known.heard_at
), arrived AS (
  INSERT INTO arrivals (device_ids, measured_since)
  SELECT $10, ARRAY(SELECT timestamptz '2000-01-01 00:00:00+00' + us * interval '1 microsecond'
                      FROM unnest($11::bigint[]) WITH ORDINALITY AS one (us, place) ORDER BY place)
   WHERE cardinality($10::integer[]) > 0 AND EXISTS (SELECT FROM watched_tenants)
)
SELECT pg_current_xact_id()::text, now()
"""


async def add_accounts(
    connection: asyncpg.Connection, counts: Counts, batch: Packed, worker: str
) -> tuple[str, datetime]:
    """Count, and note the gateways heard; return the transaction's number, and when it began by the server's clock."""
    keys = sorted(counts, key=repr)
    accounts = [account for account, _ in keys]
    devices = _measured_since(batch.frames)
    record = await connection.fetchrow(
        ADD_ACCOUNTS,
        [account.day for account in accounts],
        [account.source_id for account in accounts],
        [account.tenant_id for account in accounts],
        [account.kind for account in accounts],
        [outcome for _, outcome in keys],
        [counts[key] for key in keys],
        worker,
        sorted(batch.heard),
        [batch.heard[gateway_id] for gateway_id in sorted(batch.heard)],
        list(devices),
        list(devices.values()),
    )
    assert record is not None
    return record[0], record[1]


def hint(frames: Sequence[PackedFrame]) -> str:
    """Return what is told to whoever waits for commits: the numbers of the devices, or "*" for many."""
    devices = {frame.key[0] for frame in frames}
    return ",".join(map(str, sorted(devices))) if len(devices) <= _HINT_DEVICES else "*"


def _measured_since(frames: Sequence[PackedFrame]) -> dict[int, int]:
    """Return the devices of these frames, each with its earliest measurement among them, microseconds since 2000."""
    devices: dict[int, int] = {}
    for key, _, since_us, _, _, _, _, _, _ in frames:
        if since_us < devices.setdefault(key[0], since_us):
            devices[key[0]] = since_us
    return devices
