"""Network keys of a list of sensors, between its file and the orders of its rows: sealed, and gone after two days."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from domain.errors import NotFoundError
from store.access.sealing import Keyring, Sealed

KEPT: Final = timedelta(days=2)


def name_of(import_id: int, place: int, cell: int) -> str:
    """Return what a key of a list is sealed as; the database says the same when it hands it to an order."""
    return f"key of row {place}, column {cell} of list {import_id}"


SELECT_PUT: Final = """
SELECT put_import_keys($1, $2, $3, $4, $5, $6, $7)
"""


async def keep(
    connection: asyncpg.Connection,
    keyring: Keyring,
    import_id: int,
    keys: Sequence[tuple[int, int, bytes]],
    now: datetime,
) -> None:
    """Seal the keys of a list: the place of the row, that of the column, the key. Raises NotFoundError."""
    sealed = [keyring.seal(key, name_of(import_id, place, cell)) for place, cell, key in keys]
    places, cells = [place for place, _, _ in keys], [cell for _, cell, _ in keys]
    columns = ([one.master for one in sealed], [one.wrapped for one in sealed], [one.sealed for one in sealed])
    try:
        await connection.execute(SELECT_PUT, import_id, now, places, cells, *columns)
    except asyncpg.NoDataFoundError as error:
        raise NotFoundError from error


SELECT_KEYED: Final = """
SELECT place, cell FROM import_keyed($1, $2, $3)
"""


async def keyed(connection: asyncpg.Connection, import_id: int, first: int, until: int) -> frozenset[tuple[int, int]]:
    """Return where in a list, by row and column, keys are that are still here."""
    return frozenset(tuple(row) for row in await connection.fetch(SELECT_KEYED, import_id, first, until))


SELECT_HAND: Final = """
SELECT hand_import_keys($1, $2, $3, $4, $5, $6)
"""


async def hand_over(
    connection: asyncpg.Connection,
    import_id: int,
    places: dict[int, int],
    *,
    app_cell: int,
    nwk_cell: int,
    keep_keys: bool,
) -> None:
    """Give orders the keys of their rows (`places` by order); -1 for a column that there is not."""
    await connection.execute(
        SELECT_HAND, import_id, list(places), list(places.values()), app_cell, nwk_cell, keep_keys
    )  # fmt: skip


SELECT_DROP: Final = """
SELECT drop_import_keys($1, $2)
"""


async def drop(connection: asyncpg.Connection, import_id: int, until: int) -> None:
    """Forget the keys of the rows before `until`."""
    await connection.execute(SELECT_DROP, import_id, until)


DELETE_OLD: Final = """
DELETE FROM import_keys WHERE created_at < $1
"""


async def forget_old(connection: asyncpg.Connection, now: datetime) -> None:
    """Forget the keys of lists that nobody took: maintenance does it."""
    await connection.execute(DELETE_OLD, now - KEPT)


SELECT_WRAPPED: Final = """
SELECT import_id, place, cell, master, wrapped, sealed FROM import_keys WHERE master <> $1 FOR UPDATE
"""

UPDATE_WRAPPED: Final = """
UPDATE import_keys SET master = $4, wrapped = $5 WHERE import_id = $1 AND place = $2 AND cell = $3
"""


async def rewrap_all(connection: asyncpg.Connection, keyring: Keyring) -> int:
    """Wrap everything under the current key of the keyring; return how many were under another. Raises SealError."""
    rows = await connection.fetch(SELECT_WRAPPED, keyring.current)
    for import_id, place, cell, *sealed in rows:
        fresh = keyring.rewrap(Sealed(*sealed), name_of(import_id, place, cell))
        await connection.execute(UPDATE_WRAPPED, import_id, place, cell, fresh.master, fresh.wrapped)
    return len(rows)
