"""The maintenance role: one round a minute, counted, and whether it still does its work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from deploy.roles import Running
from store.maintenance.run import Report, roll_up_once, run_once
from store.pool import TRANSIENT, connect, database_now

log = structlog.get_logger("samara")

_EVERY_S: Final = 60.0
_FILLING_EVERY_S: Final = 1.0
_LATE_AFTER_S: Final = 600.0


class Metrics:
    """Counters of one maintenance process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rounds = Counter(
            "samara_maintenance_rounds_total",
            "Rounds: done, busy (another process was at it), failed.",
            ["outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "samara_maintenance_round_seconds",
            "Seconds of a round.",
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900),
            registry=registry,
        )
        self.marks = Counter("samara_maintenance_marks_total", "Changed hours rolled up anew.", registry=registry)
        self.succeeded = Gauge(
            "samara_maintenance_last_success_seconds",
            "Unix time of the last round that did not fail.",
            registry=registry,
        )
        for outcome in ("done", "busy", "failed"):
            self.rounds.labels(outcome)

    def count(self, report: Report, seconds: float) -> None:
        """Count a round that did not fail."""
        self.rounds.labels("busy" if report.busy else "done").inc()
        self.marks.inc(report.marks)
        self.seconds.observe(seconds)
        self.succeeded.set_to_current_time()


class Maintaining(NamedTuple):
    """The maintenance role: its task, and whether it is of use."""

    task: asyncio.Task[None]
    upkeep: "Upkeep"


class Upkeep:
    """Rounds, one after the other.

    While a demonstration's past comes in (`filling`), they follow each other and roll up alone: the rest of a round,
    what was used in each month say, would take what is there for all there is.
    """

    def __init__(self, dsn: str, registry: CollectorRegistry, filling: Callable[[], bool] = lambda: False) -> None:
        self._dsn = dsn
        self._filling = filling
        self._metrics = Metrics(registry)
        self._succeeded_at = asyncio.get_running_loop().time()
        self._wake = asyncio.Event()
        self._asked: list[asyncio.Future[None]] = []

    async def caught_up(self) -> None:
        """Return once a round that begins from now on, at once, left nothing to be done."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked.append(done)
        self._wake.set()
        await done

    def why_not_ready(self) -> str:
        """Say why this process is of no use now; '' when it is."""
        silent_s = asyncio.get_running_loop().time() - self._succeeded_at
        return f"no round of maintenance has succeeded for {silent_s:.0f} s" if silent_s > _LATE_AFTER_S else ""

    async def run(self) -> None:
        """Keep partitions, roll-ups, accounts and retention until cancelled."""
        while True:
            self._wake.clear()
            asked, filling = list(self._asked), self._filling()
            more = False
            try:
                report = await self._round(roll_up_once if filling else run_once)
            except TRANSIENT as error:
                self._metrics.rounds.labels("failed").inc()
                log.warning("maintenance waits for the database", error=str(error) or type(error).__name__)
            else:
                more = report.more
                if not (more or report.busy or filling):
                    self._tell(asked)
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _FILLING_EVERY_S if filling else _EVERY_S)

    def _tell(self, asked: Collection[asyncio.Future[None]]) -> None:
        """Tell those who asked before a round began that it left nothing."""
        self._asked = [one for one in self._asked if one not in asked]
        for one in asked:
            if not one.done():
                one.set_result(None)

    async def _round(self, once: Callable[[asyncpg.Connection, datetime], Awaitable[Report]]) -> Report:
        """Do one round."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        connection = await connect(self._dsn, application="samara-maintenance")
        try:
            report = await once(connection, await database_now(connection))
        finally:
            await connection.close()
        self._succeeded_at = loop.time()
        self._metrics.count(report, self._succeeded_at - began_at)
        if report.dropped:
            log.info("dropped what is no longer kept", partitions=report.dropped)
        return report


@contextlib.asynccontextmanager
async def maintenance_role(running: Running, filling: Callable[[], bool] = lambda: False) -> AsyncIterator[Maintaining]:
    """Maintain for as long as the context lasts; `filling` as in Upkeep."""
    upkeep = Upkeep(running.dsns.owner, running.registry, filling)
    task = asyncio.create_task(upkeep.run(), name="maintenance")
    try:
        yield Maintaining(task, upkeep)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
