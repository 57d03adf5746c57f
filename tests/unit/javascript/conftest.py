"""One pool for the tests of what scripts answer."""

from collections.abc import AsyncIterator

import pytest

from decoders.javascript.pool import CodecPool


@pytest.fixture(scope="session")
async def pool() -> AsyncIterator[CodecPool]:
    async with CodecPool(workers=1) as pool:
        yield pool
