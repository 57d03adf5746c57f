"""What people ask devices to do, and how far it is. A thing of another tenant is not there."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.downlinks import State
from domain.errors import NotFoundError


class Device(NamedTuple):
    """A device as whoever tells it something must know it. `spreading_factor` is of its last uplink."""

    device_id: int
    dev_eui: str
    model_id: str | None
    period_s: int | None
    last_seen_at: datetime | None
    spreading_factor: int | None
    waiting: int


SELECT_DEVICE: Final = """
SELECT one.device_id, one.dev_eui, one.model_id, period_of(one.parameters, models.period_s) AS period_s,
       last_seen_at,
       (SELECT max(spreading_factor)
          FROM uplinks
         WHERE uplinks.device_id = one.device_id AND uplinks.received_at = last_seen_at) AS spreading_factor,
       (SELECT count(*)::integer FROM downlinks
         WHERE downlinks.device_id = one.device_id AND state IN ('queued', 'accepted')) AS waiting
  FROM devices AS one
  LEFT JOIN models USING (model_id)
  LEFT JOIN LATERAL (SELECT max(received_at) AS last_seen_at
                       FROM latest_frames
                      WHERE latest_frames.device_id = one.device_id) AS last ON true
 WHERE one.tenant_id = $1 AND one.dev_eui = $2
"""

LOCK_DEVICE: Final = """
SELECT pg_advisory_xact_lock(hashtextextended($1 || ' downlinks', 0))
"""


async def device(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, *, held: bool = False) -> Device:
    """Return a device of a tenant; `held` keeps others from asking it something meanwhile. Raises NotFoundError."""
    if held:
        await connection.execute(LOCK_DEVICE, dev_eui)
    row = await connection.fetchrow(SELECT_DEVICE, tenant_id, dev_eui)
    if row is None:
        raise NotFoundError
    return Device(*row)


class DeviceCodec(NamedTuple):
    """The JavaScript codec that is in force for a device, and the tenant whose it is."""

    tenant_id: int
    sha256: str
    source: str
    is_fresh: bool


SELECT_CODEC: Final = """
SELECT tenant_id, sha256, source, is_fresh FROM codec_of_device($1)
"""


async def codec_of(connection: asyncpg.Connection, device_id: int) -> DeviceCodec | None:
    """Return the codec of a device, for who may install at its tenant; None where there is none."""
    row = await connection.fetchrow(SELECT_CODEC, device_id)
    return None if row is None else DeviceCodec(*row)


class NewDownlink(NamedTuple):
    """What is to be sent. `parameters` is JSON, as asked."""

    tenant_id: int
    device_id: int
    account_id: int
    command: str
    parameters: str
    period_s: int | None
    f_port: int
    payload: bytes
    confirmed: bool
    created_at: datetime
    expires_at: datetime


INSERT_DOWNLINK: Final = """
INSERT INTO downlinks (tenant_id, device_id, account_id, command, parameters, period_s, f_port, payload, confirmed,
                       created_at, expires_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10)
RETURNING downlink_id
"""


async def add(connection: asyncpg.Connection, new: NewDownlink) -> int:
    """Write down what is to be sent, and return its number."""
    downlink_id: int = await connection.fetchval(INSERT_DOWNLINK, *new)
    return downlink_id


class Downlink(NamedTuple):
    """A command on its way, the moments that it is known to have passed, and the state that they make."""

    downlink_id: int
    account_id: int | None
    command: str
    parameters: str
    period_s: int | None
    f_port: int
    payload: bytes
    confirmed: bool
    state: State
    trouble: str
    created_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    accepted_at: datetime | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    refused_at: datetime | None
    failed_at: datetime | None
    expired_at: datetime | None
    cancelled_at: datetime | None


_COLUMNS: Final = ", ".join(Downlink._fields)

SELECT_DOWNLINKS: Final = f"""
SELECT {_COLUMNS}
  FROM downlinks
 WHERE tenant_id = $1 AND device_id = $2 AND downlink_id > $3 AND ($4::text IS NULL OR state = $4)
 ORDER BY downlink_id
 LIMIT $5
"""  # noqa: S608 - columns of ours

SELECT_NEWEST: Final = f"""
SELECT {_COLUMNS} FROM downlinks WHERE tenant_id = $1 AND device_id = $2 ORDER BY downlink_id DESC LIMIT $3
"""  # noqa: S608 - columns of ours

SELECT_DOWNLINK: Final = f"""
SELECT {_COLUMNS} FROM downlinks WHERE tenant_id = $1 AND device_id = $2 AND downlink_id = $3
"""  # noqa: S608 - columns of ours

SELECT_DOWNLINK_HELD: Final = f"{SELECT_DOWNLINK} FOR UPDATE"


async def downlinks(
    connection: asyncpg.Connection, tenant_id: int, device_id: int, *, state: str | None, after: int, limit: int
) -> list[Downlink]:
    """Return what a device was told by its tenant, in the order in which it was asked."""
    rows = await connection.fetch(SELECT_DOWNLINKS, tenant_id, device_id, after, state, limit)
    return [Downlink(*row) for row in rows]


async def newest(connection: asyncpg.Connection, tenant_id: int, device_id: int, limit: int) -> list[Downlink]:
    """Return what a device was told last, the newest first."""
    return [Downlink(*row) for row in await connection.fetch(SELECT_NEWEST, tenant_id, device_id, limit)]


async def downlink(
    connection: asyncpg.Connection, tenant_id: int, device_id: int, downlink_id: int, *, held: bool = False
) -> Downlink:
    """Return one; `held` keeps others from changing it until the transaction ends. Raises NotFoundError."""
    statement = SELECT_DOWNLINK_HELD if held else SELECT_DOWNLINK
    row = await connection.fetchrow(statement, tenant_id, device_id, downlink_id)
    if row is None:
        raise NotFoundError
    return Downlink(*row)


# What its network server may have already is asked back by the role `provisioning`; what waits here never leaves.
UPDATE_WITHDRAWN: Final = """
UPDATE downlinks
   SET withdrawn_at = coalesce(withdrawn_at, $2), due_at = $2,
       cancelled_at = CASE WHEN asked_at IS NULL THEN coalesce(cancelled_at, $2) ELSE cancelled_at END
 WHERE downlink_id = $1
"""


async def withdraw(
    connection: asyncpg.Connection, tenant_id: int, device_id: int, downlink_id: int, now: datetime
) -> Downlink:
    """Want a downlink back that was not sent yet; return it as it was before. Raises NotFoundError."""
    found = await downlink(connection, tenant_id, device_id, downlink_id, held=True)
    if found.state in {"queued", "accepted"}:
        await connection.execute(UPDATE_WITHDRAWN, downlink_id, now)
    return found
