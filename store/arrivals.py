"""What evaluation of rules is to look at, when measurements change otherwise than by coming in (`accounts.py`)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import asyncpg

INSERT_ARRIVALS: Final = """
INSERT INTO arrivals (device_ids, measured_since)
SELECT $1, $2
 WHERE EXISTS (SELECT FROM watched_tenants)
"""


async def tell_arrivals(connection: asyncpg.Connection, changed: Iterable[tuple[int, datetime]]) -> None:
    """Have the rules of these devices evaluated again, from their earliest change. Call it in its transaction."""
    since: dict[int, datetime] = {}
    for device_id, measured_at in changed:
        since[device_id] = min(measured_at, since.get(device_id, measured_at))
    if since:
        await connection.execute(INSERT_ARRIVALS, list(since), list(since.values()))
