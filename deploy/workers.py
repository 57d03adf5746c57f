"""Several ingest processes on one machine: the broker divides the messages among them (shared subscriptions)."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from deploy.roles import stop_on_signals, worker_name
from deploy.settings import Settings
from domain.errors import ConfigurationError

log = structlog.get_logger("samara")

_AGAIN_S: Final = 1.0
_STOP_WITHIN_S: Final = 10.0


async def serve_workers(settings: Settings, config: Path | None, environment: Mapping[str, str], count: int) -> None:
    """Run `count` processes of `samara serve ingest` until SIGINT or SIGTERM; one that ends is started again.

    Each has its own name (and so its own spool and client id), and the next port for its metrics. Raises
    ConfigurationError when a network server is not heard by shared subscription, or pushes over HTTP: then one
    process is the answer.
    """
    if not settings.database.dsn.get_secret_value():
        raise ConfigurationError("workers: they share a database that runs by itself: set database.dsn")
    alone = [source.name for source in settings.ingest.mqtt if not source.shared_group]
    if alone:
        raise ConfigurationError(f"workers: set shared_group of [[ingest.mqtt]] {', '.join(alone)}")
    if settings.ingest.http:
        raise ConfigurationError("workers: what is pushed over HTTP goes to one process; serve it apart")
    arguments = [sys.executable, "-m", "deploy.cli", *(["--config", str(config)] if config else []), "serve", "ingest"]
    with stop_on_signals() as stop:
        async with asyncio.TaskGroup() as workers:
            for number in range(1, count + 1):
                variables = {
                    "SAMARA_WORKER": f"{worker_name(settings)}-{number}",
                    "SAMARA_API__PORT": str(settings.api.port + number if settings.api.port else 0),
                }
                workers.create_task(_keep(arguments, {**environment, **variables}, stop))


async def _keep(arguments: list[str], environment: dict[str, str], stop: asyncio.Event) -> None:
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(*arguments, env=environment)
        ended, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            await _stop(process)
        else:
            log.error("worker ended; starting it again", worker=environment["SAMARA_WORKER"], code=process.returncode)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _AGAIN_S)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
