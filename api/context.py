"""What the handlers find in the application: typed keys, one for each thing that `create_app` was given."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, cast

import asyncpg
from aiohttp import web

from api.live import Hub
from api.settings import ApiSettings

Clock = Callable[[], datetime]

POOL: Final = web.AppKey("pool", asyncpg.Pool)
SETTINGS: Final = web.AppKey("settings", ApiSettings)
CLOCK: Final[web.AppKey[Clock]] = web.AppKey("clock")
HUB: Final = web.AppKey("hub", Hub)


@asynccontextmanager
async def reader(request: web.Request) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection in one read-only snapshot: what a page or an answer says is of one instant.

    The account will be set here, with SET LOCAL, for the database to enforce.
    """
    async with snapshot(request.app[POOL]) as connection:
        yield connection


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of the pool in one read-only snapshot."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield cast("asyncpg.Connection", connection)  # the pool's proxy has the same methods


@asynccontextmanager
async def writer(request: web.Request) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection in a transaction that is committed when nothing was raised."""
    async with request.app[POOL].acquire() as connection, connection.transaction():
        yield cast("asyncpg.Connection", connection)


def account_of(_request: web.Request) -> str:
    """Return who asks, as a name that stays the same. There are no accounts yet: everybody is one."""
    return "everybody"
