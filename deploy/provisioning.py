"""The provisioning role: what is wanted of network servers, carried out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

from alerting.provisioning import servers
from alerting.provisioning.door import door
from alerting.provisioning.downlinks import downlinks_once
from alerting.provisioning.reach import Office
from alerting.provisioning.worker import work_once
from deploy.keyring import keyring_of
from deploy.roles import Running, now
from deploy.rounds import Rounds
from store.pool import open_pool


class Metrics:
    """Counters of one provisioning process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.orders = Counter(
            "samara_provisioning_orders_total",
            "What was wanted of network servers: done, again (a failure that may pass), failed; states of downlinks.",
            ["act", "outcome"],
            registry=registry,
        )
        self.succeeded = Gauge(
            "samara_provisioning_last_success_seconds",
            "Unix time of the last round that did not fail.",
            registry=registry,
        )

    def told(self, act: str, outcome: str) -> None:
        """Count what became of one attempt."""
        self.orders.labels(act, outcome).inc()


class Provisioning(NamedTuple):
    """The provisioning role: its task, and whether it is of use."""

    task: asyncio.Task[None]
    rounds: Rounds


async def _work_once(office: Office) -> bool:
    """Do of orders and of downlinks what is due; say whether there may be more."""
    ordered = await work_once(office)
    return await downlinks_once(office) or ordered


@contextlib.asynccontextmanager
async def provisioning_role(running: Running) -> AsyncIterator[Provisioning]:
    """Carry out what is wanted of network servers for as long as the context lasts."""
    metrics, settings = Metrics(running.registry), running.settings.provisioning
    keyring = keyring_of(running.settings)
    pool = await open_pool(running.dsns.provisioning, size=4, application="samara-provisioning")
    try:
        office = Office(pool, keyring, servers.load(), door(settings), settings.timeout_s, now, metrics.told)
        rounds = Rounds(
            partial(_work_once, office), metrics.succeeded, role="provisioning", undone="asked of network servers"
        )
        task = asyncio.create_task(rounds.run(), name="provisioning")
        try:
            yield Provisioning(task, rounds)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        await pool.close()
