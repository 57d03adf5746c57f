from collections.abc import AsyncIterator

import pytest
from api_served import Served, serve


@pytest.fixture
async def served(database: str) -> AsyncIterator[Served]:
    async for found in serve(database):
        yield found


@pytest.fixture
async def served_any(any_database: str) -> AsyncIterator[Served]:
    async for found in serve(any_database):
        yield found


@pytest.fixture
async def served_small(database: str) -> AsyncIterator[Served]:
    """With bounds that a test can reach."""
    async for found in serve(
        database, max_series_points=50, max_live_streams=2, live_heartbeat_s=0.05, open_data_per_minute=5, max_exports=1
    ):
        yield found
