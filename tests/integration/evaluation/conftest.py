from collections.abc import AsyncIterator

import asyncpg
import pytest
from evaluation_world import World


@pytest.fixture
async def connection(any_database: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection to a fresh migrated database, once of each flavour."""
    connection = await asyncpg.connect(any_database, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


@pytest.fixture
async def world(connection: asyncpg.Connection) -> World:
    return await World.make(connection)
