"""Installations that hear the same network servers: which devices are theirs (docs/decisions/0018)."""

from collections.abc import Collection, Mapping
from typing import Final

import asyncpg

from store.known import Known

SELECT_DECLARED: Final = """
SELECT dev_eui FROM devices WHERE dev_eui = ANY($1::text[])
"""


async def declared_among(connection: asyncpg.Connection, dev_euis: Collection[str]) -> list[str]:
    """Return those of these DevEUIs that the database has."""
    return [row["dev_eui"] for row in await connection.fetch(SELECT_DECLARED, list(dev_euis))]


UPSERT_ELSEWHERE: Final = """
INSERT INTO elsewhere (dev_eui, neighbour)
SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (dev_eui) DO UPDATE SET neighbour = excluded.neighbour, found_at = now()
"""


async def learn_elsewhere(connection: asyncpg.Connection, known: Known, found: Mapping[str, str]) -> None:
    """Remember which neighbour has these devices: it need not be asked again, though it be away."""
    if found:
        await connection.execute(UPSERT_ELSEWHERE, list(found), list(found.values()))
        known.elsewhere.update(found)
