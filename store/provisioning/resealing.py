"""The tokens and keys on their way, wrapped again when the keyring changes."""

from typing import Final

import asyncpg

from store.access.sealing import Keyring, Sealed
from store.provisioning import import_keys
from store.provisioning.orders import owner_of_key
from store.provisioning.servers import owner_of_token

SELECT_SECRETS: Final = """
SELECT tenant_id, order_id, kind, sealed_as, master, wrapped, sealed FROM network_secrets WHERE master <> $1 FOR UPDATE
"""

UPDATE_WRAPPED: Final = """
UPDATE network_secrets
   SET master = $4, wrapped = $5
 WHERE tenant_id IS NOT DISTINCT FROM $1 AND order_id IS NOT DISTINCT FROM $2 AND kind = $3
"""


async def rewrap_all(connection: asyncpg.Connection, keyring: Keyring) -> int:
    """Wrap everything under the current key of the keyring; return how many were under another. Raises SealError."""
    rows = await connection.fetch(SELECT_SECRETS, keyring.current)
    for tenant_id, order_id, kind, sealed_as, *sealed in rows:
        owner = owner_of_token(tenant_id) if order_id is None else sealed_as or owner_of_key(order_id, kind)
        fresh = keyring.rewrap(Sealed(*sealed), owner)
        await connection.execute(UPDATE_WRAPPED, tenant_id, order_id, kind, fresh.master, fresh.wrapped)
    return len(rows) + await import_keys.rewrap_all(connection, keyring)
