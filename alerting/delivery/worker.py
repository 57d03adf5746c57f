"""The worker that tells people: any number of them on one database, none the leader, each killed at any moment."""

import asyncio
from datetime import datetime
from typing import Final

import structlog

from alerting.delivery.announcing import announce_some
from alerting.delivery.routing import route_some
from alerting.delivery.sending import Post, send_some
from store.delivery.messages import close_groups
from store.pool import TRANSIENT, borrowed

log = structlog.get_logger("samara.delivery")

TICK_S: Final = 1.0


async def run(post: Post) -> None:
    """Work until cancelled. A database that is away is waited for."""
    away = False
    while True:
        try:
            busy = await work_once(post)
        except TRANSIENT as error:
            if not away:
                log.warning("delivery waits for the database", error=str(error) or type(error).__name__)
            away, busy = True, False
        else:
            away = False
        if not busy:
            await asyncio.sleep(TICK_S)


async def work_once(post: Post) -> bool:
    """Do what is due now; say whether there may be more."""
    now: datetime = post.clock()
    async with borrowed(post.pool) as connection:
        routed = await route_some(connection, now)
        announced = await announce_some(connection, now)
        await close_groups(connection, now)
    return routed + announced + await send_some(post) > 0
