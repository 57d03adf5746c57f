"""How far what was wanted of network servers is: for those who asked."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from domain.provisioning import Step
from store.provisioning.orders import Act, State


class Order(NamedTuple):
    """A wish as it stands. `steps` were done over there; `due_at` is when it is tried next, if it waits.

    `name` is the device's here, '' when it has none. `brings_keys`: keys came with it. `is_last`: nothing else was
    wanted of the device since.
    """

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
    brings_keys: bool
    name: str
    is_last: bool


_COLUMNS: Final = """order_id, act, dev_eui, state, steps, attempts, trouble, created_at, due_at, ended_at, brings_keys,
       coalesce((SELECT name FROM devices
                  WHERE devices.dev_eui = network_orders.dev_eui AND devices.tenant_id = network_orders.tenant_id),
                '') AS name,
       NOT EXISTS (SELECT FROM network_orders AS later
                    WHERE later.dev_eui = network_orders.dev_eui
                      AND later.order_id > network_orders.order_id
                      AND later.state <> 'cancelled') AS is_last"""

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
SELECT {_COLUMNS}
  FROM network_orders
 WHERE tenant_id = $1
   AND order_id < $2
   AND ($3::text IS NULL OR state = $3)
   AND ($4::text IS NULL OR dev_eui = $4)
   AND ($5::text IS NULL OR act = $5)
 ORDER BY order_id DESC
 LIMIT $6
"""  # noqa: S608 - columns of ours

SELECT_ONE: Final = f"""
SELECT {_COLUMNS} FROM network_orders WHERE tenant_id = $1 AND order_id = $2
"""  # noqa: S608 - columns of ours

SELECT_COUNTS: Final = """
SELECT state, count(*)::integer FROM network_orders WHERE tenant_id = $1 GROUP BY state
"""

NEWEST: Final = 2**31 - 1


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


async def last(
    connection: asyncpg.Connection,
    tenant_id: int,
    limit: int,
    *,
    before: int = NEWEST,
    state: str | None = None,
    dev_eui: str | None = None,
    act: Act | None = None,
) -> list[Order]:
    """Return what a tenant wanted last, the newest first: of one state, device or act, and before an order."""
    return [_order(row) for row in await connection.fetch(SELECT_LAST, tenant_id, before, state, dev_eui, act, limit)]


SELECT_OF_IMPORT: Final = f"""
SELECT DISTINCT ON (dev_eui) {_COLUMNS}
  FROM network_orders
 WHERE tenant_id = $1 AND import_id = $2
 ORDER BY dev_eui, order_id DESC
"""  # noqa: S608 - columns of ours


async def of_import(connection: asyncpg.Connection, tenant_id: int, import_id: int) -> list[Order]:
    """Return what a list of sensors asked, by device."""
    return [_order(row) for row in await connection.fetch(SELECT_OF_IMPORT, tenant_id, import_id)]


async def one(connection: asyncpg.Connection, tenant_id: int, order_id: int) -> Order:
    """Return one order of a tenant. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_ONE, tenant_id, order_id)
    if row is None:
        raise NotFoundError
    return _order(row)


async def counts(connection: asyncpg.Connection, tenant_id: int) -> dict[str, int]:
    """Return how many orders of a tenant are in each state."""
    return {row["state"]: row["count"] for row in await connection.fetch(SELECT_COUNTS, tenant_id)}


def _order(row: asyncpg.Record) -> Order:
    return Order(**dict(row) | {"steps": tuple(row["steps"])})
