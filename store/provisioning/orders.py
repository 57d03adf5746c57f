"""What is wanted of network servers: written with what it belongs to, claimed by one worker at a time, never lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import asyncpg

from domain.provisioning import RootKeys, Step, Wanted, name_there
from store.access.device_keys import keys_of
from store.access.sealing import Keyring, Sealed

Act = Literal["put", "delete", "list"]
State = Literal["waiting", "done", "failed"]


def owner_of_key(order_id: int, kind: str) -> str:
    """Return what a key that an order brings is sealed with."""
    return f"{kind} of order {order_id}"


INSERT_ORDERS: Final = """
INSERT INTO network_orders (tenant_id, act, dev_eui, account_id, created_at, due_at)
SELECT $1, $2, dev_eui, $4, $5, $5 FROM unnest($3::text[]) WITH ORDINALITY AS given (dev_eui, place) ORDER BY place
RETURNING order_id, dev_eui
"""

SELECT_PUT_KEY: Final = """
SELECT put_order_key($1, $2, $3, $4, $5)
"""


async def order(
    connection: asyncpg.Connection,
    keyring: Keyring,
    tenant_id: int,
    act: Act,
    dev_euis: Sequence[str | None],
    *,
    account_id: int | None,
    now: datetime,
    keys: Mapping[str, RootKeys] = {},
) -> list[int]:
    """Write down what is wanted for devices of a tenant (None: its network server is to be read); return the numbers.

    `keys` by DevEUI go through: they are sealed, and forgotten when the order ends.
    """
    rows = await connection.fetch(INSERT_ORDERS, tenant_id, act, list(dev_euis), account_id, now)
    sealed = [
        (row["order_id"], kind, *keyring.seal(key, owner_of_key(row["order_id"], kind)))
        for row in rows
        if row["dev_eui"] in keys
        for kind, key in keys[row["dev_eui"]]._asdict().items()
        if key is not None
    ]
    await connection.executemany(SELECT_PUT_KEY, sealed)
    return [row["order_id"] for row in rows]


class Claimed(NamedTuple):
    """A wish that this worker alone may grant until its claim ends. `attempts` were made before."""

    order_id: int
    tenant_id: int
    act: Act
    dev_eui: str | None
    attempts: int
    created_at: datetime


# The wishes of one device in their order: the oldest alone is claimed.
CLAIM: Final = """
WITH due AS (
  SELECT order_id
    FROM network_orders AS one
   WHERE state = 'waiting'
     AND due_at <= $1
     AND claimed_until <= $1
     AND NOT EXISTS (SELECT FROM network_orders AS before
                      WHERE before.state = 'waiting'
                        AND before.dev_eui = one.dev_eui
                        AND before.order_id < one.order_id)
   ORDER BY due_at, order_id
   LIMIT $3
     FOR UPDATE SKIP LOCKED
)
UPDATE network_orders
   SET claimed_until = $1::timestamptz + $2::interval, attempts = attempts + 1
  FROM due
 WHERE network_orders.order_id = due.order_id
RETURNING network_orders.order_id, tenant_id, act, dev_eui, attempts - 1, created_at
"""


async def claim(connection: asyncpg.Connection, now: datetime, lease: timedelta, limit: int) -> list[Claimed]:
    """Return wishes that are due, for this worker alone during `lease`."""
    return sorted(Claimed(*row) for row in await connection.fetch(CLAIM, now, lease, limit))


SELECT_WANTED: Final = """
SELECT one.dev_eui, one.name, profile, one.join_eui
  FROM devices AS one
  LEFT JOIN network_profiles AS known ON known.tenant_id = $3 AND known.model_id = one.model_id
 WHERE one.tenant_id = $1 AND one.dev_eui = $2
"""


async def wanted(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, owner_id: int) -> Wanted | None:
    """Return a device as it should be on the network server of `owner_id`, None when the tenant has it no longer."""
    row = await connection.fetchrow(SELECT_WANTED, tenant_id, dev_eui, owner_id)
    if row is None:
        return None
    return Wanted(row["dev_eui"], name_there(row["name"], dev_eui), row["profile"] or "", row["join_eui"] or "")


SELECT_OWNER: Final = """
SELECT tenant_id FROM devices WHERE dev_eui = $1
"""


async def owner(connection: asyncpg.Connection, dev_eui: str) -> int | None:
    """Return the tenant that has a device, None where none does."""
    found: int | None = await connection.fetchval(SELECT_OWNER, dev_eui)
    return found


SELECT_KEYS: Final = """
SELECT kind, master, wrapped, sealed FROM network_secrets WHERE order_id = $1
"""


async def keys(connection: asyncpg.Connection, keyring: Keyring, claimed: Claimed) -> RootKeys | None:
    """Return the keys that an order brought, else None. Raises SealError."""
    found = {
        kind: keyring.open(Sealed(*sealed), owner_of_key(claimed.order_id, kind))
        for kind, *sealed in await connection.fetch(SELECT_KEYS, claimed.order_id)
    }
    return RootKeys(found["app_key"], found.get("nwk_key")) if found else None


async def kept_keys(connection: asyncpg.Connection, keyring: Keyring, dev_eui: str) -> RootKeys | None:
    """Return the keys of a device that somebody asked to keep, else None. Raises SealError."""
    found = await keys_of(connection, keyring, dev_eui)
    return RootKeys(found["app_key"], found.get("nwk_key")) if "app_key" in found else None


UPDATE_STEPS: Final = """
UPDATE network_orders SET steps = steps || $2::text WHERE order_id = $1
"""


async def record(connection: asyncpg.Connection, order_id: int, step: Step) -> None:
    """Write down that something was done over there."""
    await connection.execute(UPDATE_STEPS, order_id, step)


UPDATE_AGAIN: Final = """
UPDATE network_orders
   SET due_at = $2, trouble = $3, claimed_until = '-infinity'
 WHERE order_id = $1 AND state = 'waiting'
"""


async def try_again(connection: asyncpg.Connection, order_id: int, due_at: datetime, trouble: str) -> None:
    """Let it be tried later."""
    await connection.execute(UPDATE_AGAIN, order_id, due_at, trouble)


UPDATE_ENDED: Final = """
UPDATE network_orders
   SET state = $2, trouble = $3, ended_at = $4, claimed_until = '-infinity'
 WHERE order_id = $1 AND state = 'waiting'
"""

DELETE_KEYS: Final = """
DELETE FROM network_secrets WHERE order_id = $1
"""


async def end(connection: asyncpg.Connection, order_id: int, state: State, now: datetime, trouble: str = "") -> None:
    """Say what became of it, and forget the keys that it brought."""
    async with connection.transaction():
        await connection.execute(UPDATE_ENDED, order_id, state, trouble, now)
        await connection.execute(DELETE_KEYS, order_id)


class Order(NamedTuple):
    """A wish as it stands. `steps` were done over there; `due_at` is when it is tried next, if it waits."""

    order_id: int
    act: Act
    dev_eui: str | None
    state: State
    steps: tuple[Step, ...]
    attempts: int
    trouble: str
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


_COLUMNS: Final = "order_id, act, dev_eui, state, steps, attempts, trouble, created_at, due_at, ended_at"

SELECT_ORDERS: Final = f"""
SELECT {_COLUMNS}
  FROM network_orders
 WHERE tenant_id = $1
   AND order_id > $2
   AND ($3::text IS NULL OR dev_eui = $3)
   AND ($4::text IS NULL OR state = $4)
 ORDER BY order_id
 LIMIT $5
"""  # noqa: S608 - columns of ours

SELECT_LAST: Final = f"""
SELECT {_COLUMNS} FROM network_orders WHERE tenant_id = $1 ORDER BY order_id DESC LIMIT $2
"""  # noqa: S608 - columns of ours


async def orders(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    dev_eui: str | None = None,
    state: str | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[Order]:
    """Return what a tenant wanted, in the order in which it did."""
    return [_order(row) for row in await connection.fetch(SELECT_ORDERS, tenant_id, after, dev_eui, state, limit)]


async def last(connection: asyncpg.Connection, tenant_id: int, limit: int) -> list[Order]:
    """Return what a tenant wanted last, the newest first."""
    return [_order(row) for row in await connection.fetch(SELECT_LAST, tenant_id, limit)]


def _order(row: asyncpg.Record) -> Order:
    return Order(**dict(row) | {"steps": tuple(row["steps"])})
