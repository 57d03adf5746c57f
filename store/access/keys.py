"""Keys of programs: they do what their account may, and no more than their own permissions on their own tenants."""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from store.reading.pages import Reader


class ApiKey(NamedTuple):
    """One key of an account. `hint` is its beginning; `tenant` a slug, None for all that the account has."""

    key_id: int
    name: str
    hint: str
    permissions: list[str]
    tenant: str | None
    created_at: datetime
    expires_at: datetime


INSERT_KEY: Final = """
INSERT INTO api_keys (digest, account_id, name, hint, permissions, tenant_id, expires_at)
VALUES (sha256($1), $2, $3, $4, $5, $6, $7)
RETURNING key_id
"""


async def add_key(
    connection: asyncpg.Connection,
    bearer: bytes,
    account_id: int,
    *,
    name: str,
    hint: str,
    permissions: Collection[str],
    tenant_id: int | None,
    expires_at: datetime,
) -> int:
    """Keep a key by its digest and return its id."""
    key_id: int = await connection.fetchval(
        INSERT_KEY, bearer, account_id, name, hint, sorted(permissions), tenant_id, expires_at
    )
    return key_id


SELECT_KEYS: Final = """
SELECT key_id, api_keys.name, hint, permissions, slug AS tenant, api_keys.created_at, expires_at
  FROM api_keys
  LEFT JOIN tenants USING (tenant_id)
 WHERE account_id = $1
   AND revoked_at IS NULL
   AND expires_at > now()
 ORDER BY key_id
"""


async def keys_of(reader: Reader, account_id: int) -> list[ApiKey]:
    """Return the keys of an account that are in force."""
    return [ApiKey(*row) for row in await reader.fetch(SELECT_KEYS, account_id)]


UPDATE_REVOKED: Final = """
UPDATE api_keys SET revoked_at = now()
 WHERE account_id = $1 AND key_id = $2 AND revoked_at IS NULL
RETURNING key_id
"""


async def revoke_key(connection: asyncpg.Connection, account_id: int, key_id: int) -> bool:
    """End a key at once; say whether there was one."""
    return await connection.fetchval(UPDATE_REVOKED, account_id, key_id) is not None
