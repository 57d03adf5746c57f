"""The provisioning role: what is wanted of network servers, carried out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from alerting.provisioning import servers
from alerting.provisioning.door import door
from alerting.provisioning.worker import Office, work_once
from deploy.keyring import keyring_of
from deploy.roles import Running, now
from store.pool import TRANSIENT, open_pool

log = structlog.get_logger("samara")

_TICK_S: Final = 1.0
_LATE_AFTER_S: Final = 60.0


class Metrics:
    """Counters of one provisioning process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.orders = Counter(
            "samara_provisioning_orders_total",
            "What was wanted of network servers: done, again (a failure that may pass), failed.",
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


class Clerk:
    """Rounds, one after the other."""

    def __init__(self, office: Office, metrics: Metrics) -> None:
        self._office = office
        self._metrics = metrics
        self._succeeded_at = asyncio.get_running_loop().time()

    def why_not_ready(self) -> str:
        """Say why this process is of no use now; '' when it is."""
        silent_s = asyncio.get_running_loop().time() - self._succeeded_at
        return f"nothing could be asked of network servers for {silent_s:.0f} s" if silent_s > _LATE_AFTER_S else ""

    async def run(self) -> None:
        """Carry out what is wanted until cancelled."""
        away = False
        while True:
            busy = False
            try:
                busy = await work_once(self._office)
            except TRANSIENT as error:
                if not away:
                    log.warning("provisioning waits for the database", error=str(error) or type(error).__name__)
                away = True
            else:
                away = False
                self._succeeded_at = asyncio.get_running_loop().time()
                self._metrics.succeeded.set_to_current_time()
            if not busy:
                await asyncio.sleep(_TICK_S)


class Provisioning(NamedTuple):
    """The provisioning role: its task, and whether it is of use."""

    task: asyncio.Task[None]
    clerk: Clerk


@contextlib.asynccontextmanager
async def provisioning_role(running: Running) -> AsyncIterator[Provisioning]:
    """Carry out what is wanted of network servers for as long as the context lasts."""
    metrics, settings = Metrics(running.registry), running.settings.provisioning
    keyring = keyring_of(running.settings)
    pool = await open_pool(running.dsns.provisioning, size=4, application="samara-provisioning")
    try:
        office = Office(pool, keyring, servers.load(), door(settings), settings.timeout_s, now, metrics.told)
        clerk = Clerk(office, metrics)
        task = asyncio.create_task(clerk.run(), name="provisioning")
        try:
            yield Provisioning(task, clerk)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        await pool.close()
