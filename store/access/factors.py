"""Second factors: a sealed secret for each account, and the last code that was used."""

from typing import Final, NamedTuple

import asyncpg

from store.access.sealing import Keyring, Sealed
from store.reading.pages import Reader


class Factor(NamedTuple):
    """The second factor of an account. `last_step` is of the last code accepted."""

    secret: bytes
    is_confirmed: bool
    last_step: int


def owner_of(account_id: int) -> str:
    """Return what the secret of an account is sealed with."""
    return f"second factor of account {account_id}"


UPSERT_FACTOR: Final = """
INSERT INTO second_factors (account_id, secret) VALUES ($1, $2)
ON CONFLICT (account_id) DO UPDATE SET secret = excluded.secret, created_at = now(), last_step = 0
 WHERE second_factors.confirmed_at IS NULL
"""


async def propose(connection: asyncpg.Connection, keyring: Keyring, account_id: int, secret: bytes) -> None:
    """Keep a secret that is still to be confirmed by a code; one that is confirmed stays as it is."""
    await connection.execute(UPSERT_FACTOR, account_id, keyring.seal(secret, owner_of(account_id)).packed())


SELECT_FACTOR: Final = """
SELECT secret, confirmed_at IS NOT NULL, last_step FROM second_factors WHERE account_id = $1
"""


async def factor(reader: Reader, keyring: Keyring, account_id: int) -> Factor | None:
    """Return the second factor of an account, None if it has none. Raises SealError."""
    row = await reader.fetchrow(SELECT_FACTOR, account_id)
    if row is None:
        return None
    return Factor(keyring.open(Sealed.unpacked(row[0]), owner_of(account_id)), row[1], row[2])


# Of two requests with one code, one finds last_step already there.
UPDATE_USED: Final = """
UPDATE second_factors
   SET last_step = $2, confirmed_at = coalesce(confirmed_at, now())
 WHERE account_id = $1 AND last_step < $2
RETURNING account_id
"""


async def use(connection: asyncpg.Connection, account_id: int, step: int) -> bool:
    """Note that the code of this step was used; False when it was used before."""
    return await connection.fetchval(UPDATE_USED, account_id, step) is not None


DELETE_FACTOR: Final = """
DELETE FROM second_factors WHERE account_id = $1 RETURNING account_id
"""


async def remove(connection: asyncpg.Connection, account_id: int) -> bool:
    """Take the second factor away; say whether there was one."""
    return await connection.fetchval(DELETE_FACTOR, account_id) is not None


SELECT_FACTORS: Final = """
SELECT account_id, secret FROM second_factors ORDER BY account_id FOR UPDATE
"""

UPDATE_SEALED: Final = """
UPDATE second_factors SET secret = $2 WHERE account_id = $1
"""


async def rewrap_all(connection: asyncpg.Connection, keyring: Keyring) -> int:
    """Wrap every secret under the current key of the keyring; return how many were under another. Raises SealError."""
    count = 0
    for account_id, packed in await connection.fetch(SELECT_FACTORS):
        sealed = Sealed.unpacked(packed)
        if sealed.master != keyring.current:
            fresh = keyring.rewrap(sealed, owner_of(account_id))
            await connection.execute(UPDATE_SEALED, account_id, fresh.packed())
            count += 1
    return count
