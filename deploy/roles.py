"""The roles of a process, each a context that starts it and ends it, and how to wait for a signal."""

import asyncio
import contextlib
import random
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry

from deploy.dsns import Dsns
from deploy.settings import Settings
from deploy.tracing import tracing
from domain.errors import SamaraError
from ingest.intake import Intake
from ingest.runner import Ingest
from store.pool import TRANSIENT, connect

log = structlog.get_logger("samara")

_DATABASE_AGAIN_S: Final = 1.0
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9-]+")


class Running(NamedTuple):
    """What the roles of one process share. `worker` tells this process from others on the same database."""

    settings: Settings
    dsns: Dsns
    worker: str
    registry: CollectorRegistry


class Ingesting(NamedTuple):
    """The ingest role: its task, where what comes by HTTP is delivered, and why it is of no use now, '' if it is."""

    task: asyncio.Task[None]
    intake: Intake
    why_not_ready: Callable[[], str]


class RoleEndedError(SamaraError):
    """A role ended by itself, which it never should."""


def now() -> datetime:
    """Return the present, in UTC: the one place where the machine's clock is read for the roles."""
    return datetime.now(UTC)


def worker_name(settings: Settings) -> str:
    """Return the name of this process: the setting, else the machine's name. The same at its next start."""
    return (
        settings.worker or _NOT_A_NAME.sub("-", socket.gethostname().partition(".")[0].lower()).strip("-") or "samara"
    )


@contextlib.contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """Give an event that SIGINT and SIGTERM set. A second signal has its usual, immediate effect."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def heard(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heard, number)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def database_answers(dsn: str, stop: asyncio.Event) -> None:
    """Return once the database answers, or `stop` is set. A wrong password or name raises at once."""
    told = False
    while not stop.is_set():
        try:
            connection = await connect(dsn, application="samara-start")
        except TRANSIENT as error:
            if not told:
                log.warning("the database does not answer; waiting for it", error=str(error) or type(error).__name__)
            told = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _DATABASE_AGAIN_S)
        else:
            await connection.close()
            return


@contextlib.asynccontextmanager
async def ingest_role(running: Running) -> AsyncIterator[Ingesting]:
    """Receive and store for as long as the context lasts; on leaving, what is held becomes durable first."""
    with tracing(running.settings.tracing, running.worker) as traced:
        ingest = Ingest(
            running.settings.ingest,
            dsn=running.dsns.ingest,
            folder=running.settings.data_dir,
            worker=running.worker,
            metrics_registry=running.registry,
            clock=now,
            randomness=random.Random(),  # noqa: S311 - jitter of reconnections, not a secret
            tracing=traced,
        )
        async with ingest:
            task = asyncio.create_task(ingest.run(), name="ingest")
            try:
                yield Ingesting(task, ingest.pipeline, ingest.why_not_ready)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def until(stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Return once `stop` is set. Raises what a task raised, RoleEndedError if one just ended."""
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done - {stopping}:
        task.result()
        raise RoleEndedError(f"{task.get_name()} ended by itself")
