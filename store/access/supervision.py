"""What the database refused and a supervisor should look at."""

from typing import Final

import asyncpg

INSERT_EVENT: Final = """
INSERT INTO supervision_events (kind, tenant_id, dev_eui, detail) VALUES ($1, $2, $3, $4)
"""


async def tell(
    connection: asyncpg.Connection, kind: str, *, tenant_id: int | None = None, dev_eui: str = "", detail: str = ""
) -> None:
    """Keep an event for the supervisors; nobody else reads it."""
    await connection.execute(INSERT_EVENT, kind, tenant_id, dev_eui or None, detail)
