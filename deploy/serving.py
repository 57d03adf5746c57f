"""`samara serve`: the roles of one process, until a signal."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack

import asyncpg
import structlog

from deploy.database import database
from deploy.defaults import refuse_defaults
from deploy.dsns import let_roles_in, of_settings, passwords
from deploy.interpreter import collect_cycles_seldom
from deploy.maintaining import maintenance_role
from deploy.metrics import new_registry
from deploy.roles import (
    Ingesting,
    Running,
    database_answers,
    ingest_role,
    stop_on_signals,
    until,
    worker_name,
)
from deploy.settings import Settings
from deploy.web import api_role, bare_port
from domain.errors import ConfigurationError
from store.inspection import inspect
from store.migrate import migrate
from store.pool import connect

log = structlog.get_logger("samara")

Work = tuple[asyncio.Task[None], Callable[[], str]]


async def serve(settings: Settings, roles: Collection[str]) -> None:
    """Run the `roles` until SIGINT or SIGTERM: `ingest`, `api`, `maintenance`, `alerting`, `delivery`, `provisioning`.

    Waits for a database that does not answer; ingest does not wait, it spools. The embedded one is migrated; of
    another, that is the operator's to do. Raises ConfigurationError when the schema is not this program's, or a secret
    is one that anybody would try first.
    """
    refuse_defaults(settings)
    if "ingest" in roles and not settings.ingest.sources:
        raise ConfigurationError("no network server is declared: add [[ingest.mqtt]] to the settings")
    with stop_on_signals() as stop:
        async with AsyncExitStack() as stack:
            dsn = await stack.enter_async_context(database(settings))
            embedded = not settings.database.address
            running = Running(settings, of_settings(settings, dsn), worker_name(settings), new_registry())
            if embedded:
                await migrate(dsn)
                await let_roles_in(dsn, passwords(settings, dsn))
            tasks: list[asyncio.Task[None]] = []
            ingesting: Ingesting | None = None
            begun, reasons = asyncio.Event(), list[Callable[[], str]]()
            reasons.append(lambda: "" if begun.is_set() else "starting")
            if "ingest" in roles:  # before the database answers: what is heard meanwhile is spooled
                ingesting = await stack.enter_async_context(ingest_role(running))
                tasks.append(ingesting.task)
                reasons.append(ingesting.why_not_ready)
            if "api" not in roles:
                address = await stack.enter_async_context(bare_port(running, ingesting, reasons))
            await database_answers(dsn, stop)
            if stop.is_set():
                return
            await _check_schema(dsn)
            for task, why_not_ready in await _working(stack, running, roles):
                tasks.append(task)
                reasons.append(why_not_ready)
            if "api" in roles:
                address = await stack.enter_async_context(api_role(running, ingesting))
            begun.set()
            collect_cycles_seldom()
            log.info("started", roles=sorted(roles), worker=running.worker, address=address)
            await until(stop, *tasks)
    log.info("stopped")


async def _working(stack: AsyncExitStack, running: Running, roles: Collection[str]) -> list[Work]:
    """Start the roles that need the database; return their tasks, and what says whether each is of use."""
    found: list[Work] = []
    if "maintenance" in roles:
        maintaining = await stack.enter_async_context(maintenance_role(running))
        found.append((maintaining.task, maintaining.upkeep.why_not_ready))
    if "alerting" in roles:
        from deploy.evaluating import alerting_role  # noqa: PLC0415 - ingest starts again without its parts

        evaluating = await stack.enter_async_context(alerting_role(running))
        found.append((evaluating.task, evaluating.worker.why_not_ready))
    if "delivery" in roles:
        from deploy.delivering import delivery_role  # noqa: PLC0415 - ingest starts again without its parts

        delivering = await stack.enter_async_context(delivery_role(running))
        found.append((delivering.task, delivering.rounds.why_not_ready))
    if "provisioning" in roles:
        from deploy.provisioning import provisioning_role  # noqa: PLC0415 - gRPC is of no use to the others

        provisioning = await stack.enter_async_context(provisioning_role(running))
        found.append((provisioning.task, provisioning.rounds.why_not_ready))
    return found


async def _check_schema(dsn: str) -> None:
    try:
        connection = await connect(dsn, application="samara-start")
        try:
            found = await inspect(connection)
        finally:
            await connection.close()
    except asyncpg.PostgresError as error:
        raise ConfigurationError(f"database: {error}") from None
    if found.missing:
        raise ConfigurationError("the schema is older than this program: run `samara migrate`")
    if found.unknown and not found.breaking:
        log.warning("the schema is newer than this program, which works with it", migrations=found.unknown)
    if found.breaking:
        raise ConfigurationError("the schema is newer than this program: install the version that migrated it")
