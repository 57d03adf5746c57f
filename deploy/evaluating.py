"""The alerting role: rules evaluated as measurements come, and as time passes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from alerting.worker import AlertingWorker
from deploy.roles import Running


class Evaluating(NamedTuple):
    """The alerting role: its task, and whether it is of use."""

    task: asyncio.Task[None]
    worker: AlertingWorker


@contextlib.asynccontextmanager
async def alerting_role(running: Running) -> AsyncIterator[Evaluating]:
    """Evaluate rules for as long as the context lasts."""
    worker = AlertingWorker(running.dsns.alerting, running.registry, now_s=asyncio.get_running_loop().time)
    task = asyncio.create_task(worker.run(), name="alerting")
    try:
        yield Evaluating(task, worker)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
