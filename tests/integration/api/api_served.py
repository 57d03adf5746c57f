"""The application over a filled database, for the tests of this folder."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
import api_world
import asyncpg
from prometheus_client import CollectorRegistry

from api.settings import ApiSettings


class Served(NamedTuple):
    """The application over a filled database."""

    http: aiohttp.ClientSession  # its base is the application's address
    world: api_world.World
    connection: asyncpg.Connection  # of a test that writes
    clock: api_world.Clock
    registry: CollectorRegistry
    dsn: str


async def serve(territory: api_world.Territory, **settings: object) -> AsyncIterator[Served]:
    clock, registry = api_world.Clock(), CollectorRegistry()
    dsn, world = territory
    connection = await asyncpg.connect(dsn)
    try:
        quick = ApiSettings.model_validate({"live_pause_s": 0, "reconnect_s": 0.01, **settings})
        async with (
            api_world.serving(dsn, quick, clock, registry) as address,
            aiohttp.ClientSession(address, timeout=aiohttp.ClientTimeout(10), headers={"Origin": address}) as http,
        ):
            cookie = await api_world.sign_in(connection, ("administrator", None), ("supervisor", None))
            http.cookie_jar.update_cookies(cookie)
            yield Served(http, world, connection, clock, registry, dsn)
    finally:
        await connection.close()
