"""What the handlers find in the application: typed keys, one for each thing that `create_app` was given."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, cast

import asyncpg
from aiohttp import web

from api.live import Hub
from api.recent import Recent
from api.settings import ApiSettings
from api.slots import Slots
from store.access.bearer import enter

Clock = Callable[[], datetime]

POOL: Final = web.AppKey("pool", asyncpg.Pool)  # reads what whoever asks may see
ACCOUNTS: Final = web.AppKey("accounts", asyncpg.Pool)  # lets people in, and reads nothing else
SETTINGS: Final = web.AppKey("settings", ApiSettings)
CLOCK: Final[web.AppKey[Clock]] = web.AppKey("clock")
FILLING: Final[web.AppKey[Callable[[], bool]]] = web.AppKey("filling")  # whether a demonstration's past still comes in
BEARER: Final = web.RequestKey("bearer", bytes)  # what to say to the database of who asks
TENANT_ID: Final = web.RequestKey("tenant_id", int)  # whose data the request is about, once that is known
HUB: Final = web.AppKey("hub", Hub)
RECENT: Final = web.AppKey("recent", Recent)
EXPORTS: Final = web.AppKey("exports", Slots)  # files that are being written


@asynccontextmanager
async def reader(request: web.Request) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection in one read-only snapshot: what a page or an answer says is of one instant.

    The database shows what the account that asks may see, and nothing to nobody.
    """
    async with snapshot(request.app[POOL], request.get(BEARER)) as connection:
        yield connection


@asynccontextmanager
async def writer(request: web.Request) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection in a transaction that writes as the account that asks: all of it is kept, or nothing."""
    async with request.app[POOL].acquire() as connection, connection.transaction():
        await enter(cast("asyncpg.Connection", connection), request.get(BEARER))
        yield cast("asyncpg.Connection", connection)


@asynccontextmanager
async def doorkeeper(request: web.Request) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection in a transaction of the role that lets people in: accounts, sessions, keys, the audit log."""
    async with doorkeeper_of(request.app) as connection:
        yield connection


@asynccontextmanager
async def doorkeeper_of(app: web.Application) -> AsyncIterator[asyncpg.Connection]:
    """Give the same for what no request waits for."""
    async with app[ACCOUNTS].acquire() as connection, connection.transaction():
        yield cast("asyncpg.Connection", connection)


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool, bearer: bytes | None) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection of the pool in one read-only snapshot of what this bearer may see."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await enter(cast("asyncpg.Connection", connection), bearer)
        yield cast("asyncpg.Connection", connection)  # the pool's proxy has the same methods
