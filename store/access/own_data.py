"""What is kept of the person who asks: the database knows who that is (see `bearer.enter`)."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import asyncpg


class Told(NamedTuple):
    """One thing that is kept, of which part: what is of one part comes together."""

    part: str
    said: dict[str, Any]


SELECT_OWN_DATA: Final = """
SELECT part, said::text FROM own_data()
"""


async def own_data(connection: asyncpg.Connection) -> AsyncIterator[Told]:
    """Yield what is kept of who asks, part by part, in constant memory. The connection is in a transaction."""
    async for part, said in connection.cursor(SELECT_OWN_DATA, prefetch=1000):
        yield Told(part, json.loads(said))
