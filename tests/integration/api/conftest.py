from collections.abc import AsyncIterator
from typing import Any

import api_world
import pytest
from api_served import Served, serve


@pytest.fixture
async def served(territory: api_world.Territory) -> AsyncIterator[Served]:
    async for found in serve(territory):
        yield found


@pytest.fixture(scope="session")
async def standing(fresh: Any, territory_template: api_world.Territory) -> AsyncIterator[Served]:
    """One for all tests that only read."""
    async with fresh(api_world.name_of(territory_template.dsn)) as dsn:
        async for found in serve(territory_template._replace(dsn=dsn)):
            yield found


@pytest.fixture
async def served_any(any_territory: api_world.Territory) -> AsyncIterator[Served]:
    async for found in serve(any_territory):
        yield found


@pytest.fixture
async def served_small(territory: api_world.Territory) -> AsyncIterator[Served]:
    """With bounds that a test can reach."""
    async for found in serve(
        territory,
        max_series_points=50,
        max_live_streams=2,
        live_heartbeat_s=0.05,
        open_data_per_minute=5,
        max_exports=1,
    ):
        yield found
