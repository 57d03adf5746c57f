"""A tenant that was brought in tells nobody anything until somebody has looked."""

from datetime import datetime
from typing import Final

import asyncpg

DISABLE_RULES: Final = """
UPDATE rules SET enabled = false WHERE tenant_id = $1 AND enabled
"""

DROP_WAITING: Final = """
UPDATE deliveries SET state = 'dropped', ended_at = $2, error = 'of before the import'
 WHERE tenant_id = $1 AND state = 'waiting'
"""

HANDLE_ALL: Final = """
UPDATE outbox SET handled_at = $2 WHERE tenant_id = $1 AND handled_at IS NULL
"""


async def hush(connection: asyncpg.Connection, tenant_id: int, now: datetime) -> int:
    """Have nobody told anything of a tenant that arrived, until somebody enables its rules; return how many were."""
    disabled = await connection.execute(DISABLE_RULES, tenant_id)
    await connection.execute(DROP_WAITING, tenant_id, now)
    await connection.execute(HANDLE_ALL, tenant_id, now)
    return int(disabled.rsplit(maxsplit=1)[-1])
