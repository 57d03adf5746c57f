"""Arrivals that nobody came for: while no worker evaluates, they must not fill the disk."""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

KEPT: Final = timedelta(days=3)

SELECT_OLDEST_ARRIVAL: Final = """
SELECT arrived_at FROM arrivals ORDER BY arrival_id LIMIT 1
"""

DELETE_OLD_ARRIVALS: Final = """
DELETE FROM arrivals WHERE arrived_at < $1
"""

# What those arrivals would have had evaluated is evaluated all the same, from the measurements.
UPDATE_ALL_DUE: Final = """
UPDATE rule_states SET due_at = $1 WHERE due_at > $1
"""


async def forget_arrivals(connection: asyncpg.Connection, now: datetime) -> bool:
    """Delete the arrivals of more than three days ago, and make every state due; return whether there were any."""
    oldest = await connection.fetchval(SELECT_OLDEST_ARRIVAL)
    if oldest is None or oldest >= now - KEPT:
        return False
    async with connection.transaction():
        await connection.execute(DELETE_OLD_ARRIVALS, now - KEPT)
        await connection.execute(UPDATE_ALL_DUE, now)
    return True
