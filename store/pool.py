"""Connections to the database, and what their failures mean."""

from typing import Final

import asyncpg

_CONNECT_TIMEOUT_S: Final = 5.0

# What a retry can mend: the server is away, restarting, out of connections or of room, or a lock was not had.
TRANSIENT: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,  # "connection is closed", "another operation is in progress" after a cut
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,  # a fail-over is going on
)


async def open_pool(dsn: str, *, size: int, application: str) -> asyncpg.Pool:
    """Return a pool of at most `size` connections, opened as they are needed.

    `application` is what pg_stat_activity shows. Raises what asyncpg raises when the server is away.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        command_timeout=60,
        server_settings={"application_name": application, "timezone": "UTC"},
    )


async def connect(dsn: str, *, application: str, command_timeout_s: float = 60.0) -> asyncpg.Connection:
    """Return one connection of one's own. Raises what asyncpg raises when the server is away."""
    return await asyncpg.connect(
        dsn,
        timeout=_CONNECT_TIMEOUT_S,
        command_timeout=command_timeout_s,
        server_settings={"application_name": application, "timezone": "UTC", "jit": "off"},
    )
