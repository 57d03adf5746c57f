"""What an ingest process says of itself, now and then, for those who watch: what it holds, what its spool holds."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg


class WorkerState(NamedTuple):
    """Messages received and not yet durable, bytes of the spool, and the names of the sources that it does not hear."""

    worker: str
    at: datetime
    held: int
    held_bytes: int
    spool_bytes: int
    deaf: list[str]


UPSERT_WORKER: Final = """
INSERT INTO ingest_workers (worker, at, held, held_bytes, spool_bytes, deaf) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (worker) DO UPDATE
   SET at = excluded.at, held = excluded.held, held_bytes = excluded.held_bytes, spool_bytes = excluded.spool_bytes,
       deaf = excluded.deaf
"""


async def tell_worker(connection: asyncpg.Connection, state: WorkerState, within_s: float) -> None:
    """Keep what a process says of itself, in place of what it said before.

    Raises one of store.pool.TRANSIENT when the server does not answer: whoever only listens must notice.
    """
    await connection.execute(UPSERT_WORKER, *state, timeout=within_s)
