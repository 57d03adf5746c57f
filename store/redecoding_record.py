"""Who had what decoded again, why, and how far it has come: so that it can be taken up where it stopped."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from store.parameters import Parameters, parameters_of

_INSTANT: Final = timedelta(microseconds=1)


class Chosen(NamedTuple):
    """A device whose uplinks are to be decoded again, from after `reached_at` on."""

    device_id: int
    dev_eui: str
    tenant_id: int
    model_id: str | None
    parameters: Parameters
    reached_at: datetime


class Selection(NamedTuple):
    """What is to be decoded again: the uplinks of one device, or of all that have a model, received in that time.

    `until` is excluded; None is the present.
    """

    dev_eui: str | None
    model_id: str | None
    decoder_version: str
    since: datetime
    until: datetime | None


class Redecoding(NamedTuple):
    """A record. What its devices have in sum is how far it has come."""

    redecoding_id: int
    asked_at: datetime
    asked_by: str
    reason: str
    dev_eui: str | None
    model_id: str | None
    decoder_version: str
    since: datetime
    until: datetime
    finished_at: datetime | None


class Progress(NamedTuple):
    """A record and the sums of its devices."""

    record: Redecoding
    devices: int
    done: int
    uplinks: int
    outcomes: int
    added: int
    removed: int
    changed: int
    refused: int


SELECT_CHOSEN: Final = """
SELECT device_id, dev_eui, tenant_id, model_id, parameters::text
  FROM devices
 WHERE dev_eui = $1 OR ($1::text IS NULL AND model_id = $2)
 ORDER BY device_id
"""


async def chosen_devices(connection: asyncpg.Connection, selection: Selection) -> list[Chosen]:
    """Return the devices of a selection, none of whose uplinks is done."""
    rows = await connection.fetch(SELECT_CHOSEN, selection.dev_eui, selection.model_id)
    start = selection.since - _INSTANT
    return [
        Chosen(device_id, dev_eui, tenant_id, model_id, parameters_of(parameters), start)
        for device_id, dev_eui, tenant_id, model_id, parameters in rows
    ]


SELECT_UNFINISHED: Final = """
SELECT redecoding_id, asked_at, asked_by, reason, dev_eui, model_id, decoder_version, since, until, finished_at
  FROM redecodings
 WHERE finished_at IS NULL
   AND (dev_eui, model_id, decoder_version, since) IS NOT DISTINCT FROM ($1, $2, $3, $4::timestamptz)
   AND ($5::timestamptz IS NULL OR until = $5)
 ORDER BY redecoding_id DESC
 LIMIT 1
"""


async def unfinished(connection: asyncpg.Connection, selection: Selection) -> Redecoding | None:
    """Return the record of the same selection, by the same decoder, that did not come to its end."""
    row = await connection.fetchrow(SELECT_UNFINISHED, *selection)
    return None if row is None else Redecoding(*row)


INSERT_REDECODING: Final = """
INSERT INTO redecodings (dev_eui, model_id, decoder_version, since, until, asked_by, reason)
VALUES ($1, $2, $3, $4, coalesce($5, now()), $6, $7)
RETURNING redecoding_id, asked_at, asked_by, reason, dev_eui, model_id, decoder_version, since, until, finished_at
"""

INSERT_REDECODED: Final = """
INSERT INTO redecoded_devices (redecoding_id, device_id, reached_at)
SELECT $1, * FROM unnest($2::integer[], $3::timestamptz[])
"""


async def begin(connection: asyncpg.Connection, selection: Selection, *, asked_by: str, reason: str) -> Redecoding:
    """Record that a selection is to be decoded again."""
    async with connection.transaction():
        row = await connection.fetchrow(INSERT_REDECODING, *selection, asked_by, reason)
        assert row is not None
        devices = await chosen_devices(connection, selection)
        ids, times = [one.device_id for one in devices], [one.reached_at for one in devices]
        await connection.execute(INSERT_REDECODED, row["redecoding_id"], ids, times)
    return Redecoding(*row)


SELECT_CLAIMED: Final = """
SELECT device_id, dev_eui, tenant_id, model_id, parameters::text, reached_at
  FROM redecoded_devices
  JOIN devices USING (device_id)
 WHERE redecoding_id = $1 AND NOT is_done
 ORDER BY device_id
 LIMIT $2
   FOR UPDATE OF redecoded_devices SKIP LOCKED
"""


async def claim(connection: asyncpg.Connection, redecoding_id: int, limit: int) -> list[Chosen]:
    """Return devices that are not done and that nobody else is at, and hold them until the transaction ends."""
    return [
        Chosen(device_id, dev_eui, tenant_id, model_id, parameters_of(parameters), reached_at)
        for device_id, dev_eui, tenant_id, model_id, parameters, reached_at in await connection.fetch(
            SELECT_CLAIMED, redecoding_id, limit
        )
    ]


class Step(NamedTuple):
    """How far a device has come, and what that step found."""

    device_id: int
    reached_at: datetime
    is_done: bool
    uplinks: int
    outcomes: int
    added: int
    removed: int
    changed: int
    refused: int


UPDATE_REDECODED: Final = """
UPDATE redecoded_devices AS known
   SET reached_at = step.reached_at, is_done = step.is_done, uplinks = known.uplinks + step.uplinks,
       outcomes = known.outcomes + step.outcomes, added = known.added + step.added,
       removed = known.removed + step.removed, changed = known.changed + step.changed,
       refused = known.refused + step.refused
  FROM unnest($2::integer[], $3::timestamptz[], $4::boolean[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[])
    AS step (device_id, reached_at, is_done, uplinks, outcomes, added, removed, changed, refused)
 WHERE known.redecoding_id = $1 AND known.device_id = step.device_id
"""


async def move_on(connection: asyncpg.Connection, redecoding_id: int, steps: Sequence[Step]) -> None:
    """Note how far devices have come; in the transaction that brought them there."""
    await connection.execute(UPDATE_REDECODED, redecoding_id, *map(list, zip(*steps, strict=True)))


UPDATE_FINISHED: Final = """
UPDATE redecodings
   SET finished_at = now()
 WHERE redecoding_id = $1
   AND NOT EXISTS (SELECT FROM redecoded_devices WHERE redecoding_id = $1 AND NOT is_done)
"""


async def finish(connection: asyncpg.Connection, redecoding_id: int) -> None:
    """Record the end, if all devices are done."""
    await connection.execute(UPDATE_FINISHED, redecoding_id)


SELECT_PROGRESS: Final = """
SELECT redecodings.redecoding_id, asked_at, asked_by, reason, dev_eui, model_id, decoder_version, since, until,
       finished_at, count(device_id), count(device_id) FILTER (WHERE is_done),
       coalesce(sum(uplinks), 0)::bigint, coalesce(sum(outcomes), 0)::bigint, coalesce(sum(added), 0)::bigint,
       coalesce(sum(removed), 0)::bigint, coalesce(sum(changed), 0)::bigint, coalesce(sum(refused), 0)::bigint
  FROM redecodings
  LEFT JOIN redecoded_devices USING (redecoding_id)
 GROUP BY redecodings.redecoding_id
 ORDER BY redecodings.redecoding_id DESC
 LIMIT $1
"""


async def progress(connection: asyncpg.Connection, limit: int) -> list[Progress]:
    """Return the newest records first."""
    parts = len(Redecoding._fields)
    return [Progress(Redecoding(*row[:parts]), *row[parts:]) for row in await connection.fetch(SELECT_PROGRESS, limit)]
