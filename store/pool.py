"""Connections to the database, and what their failures mean."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, cast

import asyncpg

_CONNECT_TIMEOUT_S: Final = 5.0

# A client that a cut network took away mid-transaction holds its locks, and whoever stores the same messages again
# waits for them: the server must notice. By default it waits two hours. `end_sessions` is faster, while we live.
_ABANDONED: Final = {
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}

# What a retry can mend: the server is away, restarting, out of connections or of room, or a lock was not had.
TRANSIENT: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,  # "connection is closed", "another operation is in progress" after a cut
    asyncpg.InternalClientError,  # "cannot switch to state": the server said farewell between two statements
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,  # a fail-over is going on
    asyncpg.TargetServerAttributeNotMatched,  # the same, with target_session_attrs in the address
)


PLAIN: Final = "public"
SEEN_FIRST: Final = "visible, public"  # tables of telemetry are the views of what the bearer may see


def session(application: str, **more: str) -> dict[str, str]:
    """Return the settings of every session, and `more`. `application` is what pg_stat_activity shows.

    Nothing is compiled (`jit`): that takes seconds, for statements of milliseconds.
    """
    return {"application_name": application, "timezone": "UTC", "jit": "off"} | more


async def open_pool(dsn: str, *, size: int, application: str, search_path: str = PLAIN) -> asyncpg.Pool:
    """Return a pool of at most `size` connections, opened as they are needed.

    Raises what asyncpg raises when the server is away.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        command_timeout=60,
        server_settings=session(application, search_path=search_path),
    )


async def connect(dsn: str, *, application: str, command_timeout_s: float = 60.0) -> asyncpg.Connection:
    """Return one connection of one's own. Raises what asyncpg raises when the server is away.

    The server itself ends a statement after `command_timeout_s`, and a transaction in which nothing comes for 15 s.
    """
    return await asyncpg.connect(
        dsn,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=command_timeout_s,
        server_settings=session(application, statement_timeout=f"{command_timeout_s:g}s", **_ABANDONED),
    )


async def connect_for_long(dsn: str, *, application: str) -> asyncpg.Connection:
    """Return a connection whose statements and transactions may take hours: a tenant's years are copied in one."""
    return await asyncpg.connect(dsn, timeout=_CONNECT_TIMEOUT_S, server_settings=session(application))


TERMINATE_SESSIONS: Final = """
SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE pid = ANY ($1::integer[]) AND application_name = current_setting('application_name')
   AND pid <> pg_backend_pid()
"""


async def end_sessions(connection: asyncpg.Connection, pids: Sequence[int]) -> None:
    """End sessions of this application that it gave up: a server that waits for their rows would not by itself."""
    await connection.execute(TERMINATE_SESSIONS, list(pids))


SELECT_NOW: Final = """
SELECT clock_timestamp()
"""


async def database_now(connection: asyncpg.Connection) -> datetime:
    """Return the present by the database's clock: the one that all processes share."""
    now: datetime = await connection.fetchval(SELECT_NOW)
    return now


STILL_THERE: Final = """
SELECT 1
"""


async def still_there(connection: asyncpg.Connection, within_s: float) -> None:
    """Ask something of a connection that only listens: a network that was cut says nothing by itself.

    Raises one of TRANSIENT when the server does not answer.
    """
    await connection.fetchval(STILL_THERE, timeout=within_s)


@asynccontextmanager
async def borrowed(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of the pool, for a while."""
    async with pool.acquire() as connection:
        yield cast("asyncpg.Connection", connection)  # the pool's proxy has the same methods
