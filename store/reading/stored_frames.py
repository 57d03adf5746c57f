"""What is stored of a range of devices, frame by frame: for whoever keeps an account of what was sent."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

_ROWS_AT_ONCE: Final = 5_000


class Frames(NamedTuple):
    """Which frames: DevEUIs (16 lower-case digits) and network server's times, both ends included."""

    first_dev_eui: str
    last_dev_eui: str
    since: datetime
    until: datetime


class StoredFrame(NamedTuple):
    """One stored uplink; `readings` counts its measurements."""

    dev_eui: str
    dev_addr: str
    f_cnt: int
    received_at: datetime
    payload: bytes
    readings: int
    ingested_at: datetime


COUNT_FRAMES: Final = """
SELECT count(*)
  FROM uplinks JOIN devices USING (device_id)
 WHERE dev_eui BETWEEN $1 AND $2 AND received_at BETWEEN $3 AND $4
"""


async def count_frames(connection: asyncpg.Connection, frames: Frames) -> int:
    """Return how many are stored."""
    number: int = await connection.fetchval(COUNT_FRAMES, *frames)
    return number


COUNT_DECLARED: Final = """
SELECT count(*) FROM devices WHERE dev_eui BETWEEN $1 AND $2
"""


async def count_declared(connection: asyncpg.Connection, first_dev_eui: str, last_dev_eui: str) -> int:
    """Return how many devices of a range are declared."""
    number: int = await connection.fetchval(COUNT_DECLARED, first_dev_eui, last_dev_eui)
    return number


# A cursor's plan is made for its first rows, and a database just filled has no statistics: nested loops took minutes.
SET_WHOLE_JOINS: Final = """
SET LOCAL enable_nestloop = off
"""

SELECT_FRAMES: Final = """
  WITH chosen AS (
    SELECT device_id, dev_eui FROM devices WHERE dev_eui BETWEEN $1 AND $2
  ), read AS (
    SELECT device_id, received_at, count(*) AS readings
      FROM measurements JOIN chosen USING (device_id)
     WHERE received_at BETWEEN $3 AND $4
     GROUP BY device_id, received_at
  )
SELECT dev_eui, dev_addr, f_cnt, received_at, payload, coalesce(readings, 0) AS readings, ingested_at
  FROM uplinks JOIN chosen USING (device_id) LEFT JOIN read USING (device_id, received_at)
 WHERE received_at BETWEEN $3 AND $4
"""


async def stored_frames(connection: asyncpg.Connection, frames: Frames) -> AsyncIterator[StoredFrame]:
    """Yield them in no order, some thousands at a time, as they are at one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(SET_WHOLE_JOINS)
        async for record in connection.cursor(SELECT_FRAMES, *frames, prefetch=_ROWS_AT_ONCE):
            yield StoredFrame(*record)


SELECT_UNREADABLE: Final = """
SELECT message FROM quarantine WHERE reason = 'unreadable' AND last_at >= $1
"""


async def unreadable_messages(connection: asyncpg.Connection, since: datetime) -> list[bytes]:
    """Return the messages set aside, or set aside again, since then because nothing could read them."""
    return [record["message"] for record in await connection.fetch(SELECT_UNREADABLE, since)]
