"""A worker in a process of its own, to be killed: does all there is to do at a given time, and ends."""

import asyncio
from datetime import datetime

import asyncpg

from alerting.evaluation import Evaluator
from alerting.worker import work_once


def work(dsn: str, now: datetime) -> None:
    asyncio.run(_work(dsn, now))


async def _work(dsn: str, now: datetime) -> None:
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    evaluator = Evaluator(connection)
    while await work_once(connection, evaluator, now):
        pass
    await connection.close()
