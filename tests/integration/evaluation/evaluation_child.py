"""Both workers of alerting in a process of its own, to be killed: does all there is to do at a given time, and ends."""

import asyncio
from datetime import datetime, timedelta
from multiprocessing.connection import Connection

import asyncpg

from alerting import channels
from alerting.delivery.composing import composer
from alerting.delivery.sending import Post
from alerting.delivery.worker import work_once as deliver_once
from alerting.evaluation import Evaluator
from alerting.outbound.settings import DeliverySettings, SmtpSettings
from alerting.worker import work_once
from deploy.delivering import way_out
from store.pool import open_pool

# What a killed worker had locked is passed over until the server notices that it is gone.
LEFT = "SELECT EXISTS (SELECT FROM arrivals) OR EXISTS (SELECT FROM rule_states WHERE due_at <= $1)"
UNTOLD = """
SELECT EXISTS (SELECT FROM outbox WHERE handled_at IS NULL)
    OR EXISTS (SELECT FROM incidents WHERE notify_at IS NOT NULL)
    OR EXISTS (SELECT FROM deliveries WHERE state = 'waiting' AND NOT grouped)
"""
STEP = timedelta(seconds=15)


def work(dsn: str, now: datetime, smtp_port: int, ready: Connection) -> None:
    asyncio.run(work_all(dsn, now, smtp_port, ready))


async def work_all(dsn: str, now: datetime, smtp_port: int, ready: Connection | None = None) -> None:
    """Evaluate at `now`, then tell people, letting time pass until nothing is left to be told."""
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    if ready is not None:
        ready.send_bytes(b"1")
    evaluator = Evaluator(connection)
    while await work_once(connection, evaluator, now) or await connection.fetchval(LEFT, now):
        pass
    if await connection.fetchval(UNTOLD):
        await _tell(dsn, connection, now, smtp_port)
    await connection.close()


async def _tell(dsn: str, connection: asyncpg.Connection, now: datetime, smtp_port: int) -> None:
    pool = await open_pool(dsn, size=2, application="told")
    smtp = SmtpSettings(host="127.0.0.1", port=smtp_port, security="none", timeout_s=4)
    settings = DeliverySettings(smtp=smtp, timeout_s=4, max_per_contact_per_hour=1000)
    post = Post(pool, channels.load(), way_out(settings), composer(""), lambda: now, lambda *_: None)
    while True:
        while await deliver_once(post):
            pass
        if not await connection.fetchval(UNTOLD):
            break
        now += STEP
    await pool.close()
