"""Hear the database say that something was committed: one connection per process, taken again when it is lost.

A notification is a hint. It may be lost with its connection, so each new connection counts as "anything may
have changed", and whoever listens reads again from time to time in any case.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import asyncpg
import structlog

from store.pool import TRANSIENT

log: Final = structlog.get_logger("api")

CHANNEL: Final = "samara_committed"
Wake = Callable[[frozenset[int] | None], None]


def devices_of(payload: str) -> frozenset[int] | None:
    """Return the device ids that a payload names; None when it may be any (`*`, or what cannot be read)."""
    try:
        return frozenset(int(part) for part in payload.split(","))
    except ValueError:
        return None


async def listen(pool: asyncpg.Pool, wake: Wake, *, reconnect_s: float) -> None:
    """Call `wake` at every commit, for ever, with the devices concerned or None for "any"."""
    was_lost = False
    while True:
        try:
            await _listen_once(pool, wake, was_lost=was_lost)
        except TRANSIENT as error:
            if not was_lost:
                log.warning("live updates wait for the database", error=repr(error))
            was_lost = True
        await asyncio.sleep(reconnect_s)


async def _listen_once(pool: asyncpg.Pool, wake: Wake, *, was_lost: bool) -> None:
    lost = asyncio.Event()

    def heard(_connection: object, _pid: object, _channel: object, payload: object) -> None:
        wake(devices_of(str(payload)))

    def terminated(_connection: object) -> None:
        lost.set()

    async with pool.acquire() as connection:
        connection.add_termination_listener(terminated)
        await connection.add_listener(CHANNEL, heard)
        if was_lost:
            log.info("live updates hear the database again")
        wake(None)
        try:
            await lost.wait()
        finally:
            if not lost.is_set():  # we are told to stop: the connection goes back as it came
                connection.remove_termination_listener(terminated)
                await connection.remove_listener(CHANNEL, heard)
    raise ConnectionResetError("the database closed the connection that listens")
