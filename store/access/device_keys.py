"""Network keys of devices: written, used by whoever holds the keyring, never read back by the API."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.access.sealing import Keyring, Sealed

Kind = Literal["app_key", "nwk_key"]


def owner_of(tenant_id: int, dev_eui: str, kind: str) -> str:
    """Return what a key is sealed with: moved to another tenant or device, it does not open."""
    return f"{kind} of device {dev_eui} of tenant {tenant_id}"


SELECT_PUT: Final = """
SELECT put_device_key($1, $2, $3, $4, $5)
"""


async def put_key(
    connection: asyncpg.Connection, keyring: Keyring, *, tenant_id: int, dev_eui: str, kind: Kind, key: bytes
) -> None:
    """Keep a key of a device. Raises NotFoundError unless the bearer may install devices of this tenant."""
    sealed = keyring.seal(key, owner_of(tenant_id, dev_eui, kind))
    try:
        await connection.execute(SELECT_PUT, dev_eui, kind, *sealed)
    except asyncpg.NoDataFoundError as error:
        raise NotFoundError from error


class _Row(NamedTuple):
    """A key with whose it is."""

    device_id: int
    kind: str
    owner: str  # what it is sealed with
    sealed: Sealed


SELECT_KEYS: Final = """
SELECT device_id, tenant_id, dev_eui, kind, sealed_as, master, wrapped, sealed
  FROM device_keys
  JOIN devices USING (device_id)
 WHERE $1::text IS NULL OR dev_eui = $1
 ORDER BY device_id, kind
"""


async def keys_of(connection: asyncpg.Connection, keyring: Keyring, dev_eui: str) -> Mapping[str, bytes]:
    """Return the keys of a device by kind, for its owner's provisioning. Raises SealError."""
    return {row.kind: keyring.open(row.sealed, row.owner) for row in await _rows(connection, dev_eui)}


async def _rows(connection: asyncpg.Connection, dev_eui: str | None) -> list[_Row]:
    return [
        _Row(row["device_id"], row["kind"], row["sealed_as"] or owner_of(*row[1:4]), Sealed(*row[5:]))
        for row in await connection.fetch(SELECT_KEYS, dev_eui)
    ]


UPDATE_WRAPPED: Final = """
UPDATE device_keys SET master = $3, wrapped = $4 WHERE device_id = $1 AND kind = $2
"""


async def rewrap_all(connection: asyncpg.Connection, keyring: Keyring) -> int:
    """Wrap every key under the current one of the keyring; return how many were under another. Raises SealError."""
    count = 0
    async with connection.transaction():
        for row in await _rows(connection, None):
            if row.sealed.master != keyring.current:
                fresh = keyring.rewrap(row.sealed, row.owner)
                await connection.execute(UPDATE_WRAPPED, row.device_id, row.kind, fresh.master, fresh.wrapped)
                count += 1
    return count
