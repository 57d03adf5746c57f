"""Who asks: said to the database in each transaction, so that it shows what they may see and nothing else."""

from collections.abc import Collection
from typing import Final, NamedTuple

import asyncpg


class Account(NamedTuple):
    """Who a session or a key is. `permissions` are those that it has on some tenant; one of the ids is None.

    `idle_s` is how long ago the session was last noted as used, None for a key.
    """

    account_id: int
    email: str
    name: str
    language: str
    session_id: int | None
    key_id: int | None
    permissions: frozenset[str]
    has_second_factor: bool
    idle_s: float | None

    @property
    def called(self) -> str:
        """What people know the account by."""
        return self.name or self.email


SELECT_WHO: Final = """
SELECT * FROM whoami($1)
"""


async def who_is(reader: asyncpg.Connection | asyncpg.Pool, bearer: bytes) -> Account | None:
    """Return whose session or key this is (SHA-256 of the secret); None when it is nobody's, ended or revoked."""
    row = await reader.fetchrow(SELECT_WHO, bearer)
    if row is None:
        return None
    fields = dict(row)
    return Account(permissions=frozenset(fields.pop("permissions")), **fields)


# The settings end with the transaction: nothing of them is left to whoever has the connection next.
SELECT_ENTERED: Final = """
SELECT set_config('samara.bearer', $1, true), set_config('samara.tenant', '', true)
"""


async def enter(connection: asyncpg.Connection, bearer: bytes | None) -> None:
    """Read as this bearer until the transaction ends; None is nobody, who sees nothing. Call it in a transaction."""
    if not connection.is_in_transaction():
        raise RuntimeError("who asks is said inside a transaction: outside, it would say nothing")
    await connection.fetchrow(SELECT_ENTERED, bearer.hex() if bearer else "")


SELECT_WHO_MAY: Final = """
SELECT who_may($1, $2, $3)
"""


async def who_may(reader: asyncpg.Pool, bearers: Collection[bytes], permission: str, tenant_id: int) -> set[bytes]:
    """Return those of the bearers that have the permission on the tenant."""
    return set(await reader.fetchval(SELECT_WHO_MAY, list(bearers), permission, tenant_id))


SELECT_NARROWED: Final = """
SELECT $1::integer = ANY (allowed($2)), set_config('samara.tenant', $1::integer::text, true)
"""


async def narrow(connection: asyncpg.Connection, tenant_id: int, permission: str) -> bool:
    """See no more than this tenant until the transaction ends; say whether the bearer has the permission on it."""
    row = await connection.fetchrow(SELECT_NARROWED, tenant_id, permission)
    assert row is not None
    return bool(row[0])


SELECT_MAY: Final = """
SELECT $1::integer = ANY (allowed($2))
"""


async def may(connection: asyncpg.Connection, tenant_id: int, permission: str) -> bool:
    """Say whether the bearer has a permission on a tenant: what a page offers them to do."""
    found: bool = await connection.fetchval(SELECT_MAY, tenant_id, permission)
    return found
