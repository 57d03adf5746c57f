"""The role that evaluates: woken by commits, and by a tick for silence and durations. Any number may run.

A notification is a hint: what it speaks of stands in `arrivals`, and is found at the next tick all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from alerting.evaluation import ARRIVALS_AT_ONCE, DUE_AT_ONCE, Evaluator
from alerting.expansion import expand_some
from store.alerting.work import plan_each_time
from store.pool import TRANSIENT, connect, database_now, still_there

log: Final = structlog.get_logger("alerting")

TICK_S: Final = 1.0
REMEMBERED_S: Final = 300.0  # rules and calendars are read again after that, though nobody told of a change
_AGAIN_S: Final = 1.0
_LATE_AFTER_S: Final = 60.0
_RULES_AT_ONCE: Final = 50
_ANSWERS_WITHIN_S: Final = 5.0

Clock = Callable[[asyncpg.Connection], Awaitable[datetime]]


class Metrics:
    """What a worker did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.states = Counter("samara_alerting_states_total", "States of rules looked at.", registry=registry)
        self.told = Counter("samara_alerting_messages_total", "Rows put into the outbox.", registry=registry)
        self.rounds = Histogram(
            "samara_alerting_round_seconds", "Seconds of a round that had work in it.", registry=registry
        )
        self.succeeded = Gauge(
            "samara_alerting_last_success_seconds", "Unix time of the last round that did not fail.", registry=registry
        )


class AlertingWorker:
    """Evaluates for as long as `run` runs. `clock` is the database's, one for all workers; `now_s` is monotonic."""

    def __init__(
        self, dsn: str, metrics_registry: CollectorRegistry, *, now_s: Callable[[], float], clock: Clock = database_now
    ) -> None:
        self._dsn = dsn
        self._clock = clock
        self._now_s = now_s
        self._metrics = Metrics(metrics_registry)
        self._succeeded_s = now_s()

    def why_not_ready(self) -> str:
        """Say why this process is of no use now; '' when it is."""
        silent_s = self._now_s() - self._succeeded_s
        return f"nothing could be evaluated for {silent_s:.0f} s" if silent_s > _LATE_AFTER_S else ""

    async def run(self) -> None:
        """Evaluate for ever; wait for a database that went away."""
        told = False
        while True:
            try:
                await self._run_once()
            except TRANSIENT as error:
                if not told:
                    log.warning("alerting waits for the database", error=str(error) or type(error).__name__)
                told = True
            else:
                told = False
            await asyncio.sleep(_AGAIN_S)

    async def _run_once(self) -> None:
        connection = await connect(self._dsn, application="samara-alerting")
        try:
            await self._serve(connection)
        finally:
            connection.terminate()

    async def _serve(self, connection: asyncpg.Connection) -> None:
        wake = asyncio.Event()
        evaluator = Evaluator(connection)
        forget_at, expand_at = self._now_s() + REMEMBERED_S, 0.0

        def heard(*_: object) -> None:
            wake.set()

        def changed(*_: object) -> None:
            nonlocal expand_at
            evaluator.forget()
            expand_at = 0.0
            wake.set()

        def ended(_: object) -> None:
            wake.set()

        await plan_each_time(connection)
        connection.add_termination_listener(ended)
        await connection.add_listener("samara_committed", heard)
        await connection.add_listener("samara_rules", changed)
        while True:
            wake.clear()
            if self._now_s() >= forget_at:
                evaluator.forget()
                forget_at = self._now_s() + REMEMBERED_S
            began = self._now_s()
            expand = began >= expand_at
            if expand:
                expand_at = began + TICK_S
            busy = await work_once(connection, evaluator, await self._clock(connection), self._metrics, expand=expand)
            self._succeeded_s = self._now_s()
            self._metrics.succeeded.set_to_current_time()
            if busy:
                self._metrics.rounds.observe(self._now_s() - began)
                continue
            try:
                await asyncio.wait_for(wake.wait(), TICK_S)
            except TimeoutError:
                await still_there(connection, _ANSWERS_WITHIN_S)


async def work_once(
    connection: asyncpg.Connection,
    evaluator: Evaluator,
    now: datetime,
    metrics: Metrics | None = None,
    *,
    expand: bool = True,
) -> bool:
    """Do one portion of all there is to do, rules to apply among it if asked; return whether there may be more."""
    expanded = await expand_some(connection, now, _RULES_AT_ONCE) if expand else 0
    arrived = await evaluator.arrivals(now, ARRIVALS_AT_ONCE)
    due = await evaluator.due(now, DUE_AT_ONCE)
    if metrics is not None:
        metrics.states.inc(arrived.states + due.states)
        metrics.told.inc(arrived.told + due.told)
    return bool(expanded or arrived.claimed or due.claimed)
