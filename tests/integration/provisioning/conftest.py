from collections.abc import AsyncIterator

import api_world
import pytest
from chirpstack_server import ChirpStackServer, serving
from provisioning_world import Desk, desk_of


@pytest.fixture
async def chirpstack() -> AsyncIterator[ChirpStackServer]:
    async with serving() as server:
        yield server


@pytest.fixture
async def desk(territory: api_world.Territory, chirpstack: ChirpStackServer) -> AsyncIterator[Desk]:
    """The application over a filled database, and a worker of its own role, that knows this ChirpStack."""
    async for one in desk_of(territory, chirpstack.address):
        yield one
