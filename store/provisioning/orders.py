"""What is wanted of network servers: written with what it belongs to, claimed by one worker at a time, never lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from domain.provisioning import RootKeys, Step, Wanted, name_there
from store.access.device_keys import keys_of
from store.access.sealing import Keyring, Sealed

Act = Literal["put", "delete", "list"]
State = Literal["waiting", "done", "failed", "cancelled"]


def owner_of_key(order_id: int, kind: str) -> str:
    """Return what a key that an order brings is sealed with."""
    return f"{kind} of order {order_id}"


INSERT_ORDERS: Final = """
INSERT INTO network_orders (tenant_id, act, dev_eui, account_id, created_at, due_at, brings_keys, import_id)
SELECT $1, $2, dev_eui, $4, $5, $5, coalesce(dev_eui = ANY ($6::text[]), false), $7
  FROM unnest($3::text[]) WITH ORDINALITY AS given (dev_eui, place)
 ORDER BY place
RETURNING order_id, dev_eui
"""

SELECT_PUT_KEY: Final = """
SELECT put_order_key($1, $2, $3, $4, $5)
"""


class Listed(NamedTuple):
    """The list of sensors that orders come of; which of them have keys in it, which are handed over afterwards."""

    import_id: int
    with_keys: frozenset[str]


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
    listed: Listed | None = None,
) -> list[int]:
    """Write down what is wanted for devices of a tenant (None: its network server is to be read); return the numbers.

    `keys` by DevEUI go through: they are sealed, and forgotten when the order ends.
    """
    with_keys = listed.with_keys if listed else keys.keys()
    import_id = listed.import_id if listed else None
    rows = await connection.fetch(
        INSERT_ORDERS, tenant_id, act, list(dev_euis), account_id, now, list(with_keys), import_id
    )  # fmt: skip
    brought = {row["order_id"]: keys[row["dev_eui"]] for row in rows if row["dev_eui"] in keys}
    await _seal(connection, keyring, brought)
    return [row["order_id"] for row in rows]


async def _seal(connection: asyncpg.Connection, keyring: Keyring, brought: Mapping[int, RootKeys]) -> None:
    """Keep the keys that orders bring, by their number."""
    sealed = [
        (order_id, kind, *keyring.seal(key, owner_of_key(order_id, kind)))
        for order_id, keys in brought.items()
        for kind, key in keys._asdict().items()
        if key is not None
    ]
    await connection.executemany(SELECT_PUT_KEY, sealed)


Cancelled = Literal["cancelled", "in_hand", "over"]
Retried = Literal["again", "in_hand", "over", "later", "keys"]

SELECT_CANCEL: Final = """
SELECT cancel_network_order($1, $2)
"""


async def cancel(connection: asyncpg.Connection, order_id: int, now: datetime) -> Cancelled:
    """Take a wish back while it waits, and forget its keys; else say why not. Raises NotFoundError."""
    try:
        done: Cancelled = await connection.fetchval(SELECT_CANCEL, order_id, now)
    except asyncpg.NoDataFoundError as error:
        raise NotFoundError from error
    return done


SELECT_RETRY: Final = """
SELECT retry_network_order($1, $2, $3)
"""


async def retry(
    connection: asyncpg.Connection, keyring: Keyring, order_id: int, now: datetime, keys: RootKeys | None = None
) -> Retried:
    """Let a wish be tried now, one that failed or was taken back too; else say why not. Raises NotFoundError.

    `later`: something else was wanted of the device since. `keys`: those that came with it were forgotten, and must
    be given again.
    """
    async with connection.transaction():
        try:
            done: Retried = await connection.fetchval(SELECT_RETRY, order_id, now, keys is not None)
        except asyncpg.NoDataFoundError as error:
            raise NotFoundError from error
        if done == "again" and keys is not None:
            await _seal(connection, keyring, {order_id: keys})
    return done


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


SELECT_MAY_TAKE_AWAY: Final = """
SELECT $2::integer = $3::integer
       OR EXISTS (SELECT FROM devices WHERE dev_eui = $1 AND tenant_id = $2)
       OR EXISTS (SELECT
                    FROM devices
                    JOIN ownerships USING (device_id)
                   WHERE dev_eui = $1
                     AND ownerships.tenant_id = $2
                     AND network_server_of(devices.tenant_id) IS DISTINCT FROM $3)
"""


async def may_take_away(connection: asyncpg.Connection, dev_eui: str, tenant_id: int, owner_id: int) -> bool:
    """Say whether a tenant may have a device taken away from the network server of `owner_id`.

    It is its own server; or it has the device; or had it, and who has it now is served by another server.
    """
    found: bool = await connection.fetchval(SELECT_MAY_TAKE_AWAY, dev_eui, tenant_id, owner_id)
    return found


SELECT_KEYS: Final = """
SELECT kind, sealed_as, master, wrapped, sealed FROM network_secrets WHERE order_id = $1
"""


async def keys(connection: asyncpg.Connection, keyring: Keyring, claimed: Claimed) -> RootKeys | None:
    """Return the keys that an order brought, else None. Raises SealError."""
    found = {
        kind: keyring.open(Sealed(*sealed), sealed_as or owner_of_key(claimed.order_id, kind))
        for kind, sealed_as, *sealed in await connection.fetch(SELECT_KEYS, claimed.order_id)
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
