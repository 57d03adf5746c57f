"""The port of a process: pages and API, what network servers push, health and metrics."""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import asyncpg
from aiohttp import web
from prometheus_client import CollectorRegistry, exposition

from api.access import UNASKED, require
from api.demonstration import Label
from deploy.keyring import keyring_of
from deploy.mailing import RelayMailer
from deploy.roles import Ingesting, Running, now
from domain.errors import ConfigurationError
from ingest import http
from store.access.roles import standing
from store.pool import PLAIN, SEEN_FIRST, open_pool

_SHUTDOWN_S: Final = 1.0  # how long an open page may delay the stop
_POOL_CLOSE_S: Final = 1.0
_REASONS: Final = web.AppKey("reasons", Sequence[Callable[[], str]])
_REGISTRY: Final = web.AppKey("registry", CollectorRegistry)


@contextlib.asynccontextmanager
async def api_role(
    running: Running,
    ingesting: Ingesting | None = None,
    *,
    any_port: bool = False,
    filling: Callable[[], bool] = lambda: False,
    labels: Sequence[Label] = (),
) -> AsyncIterator[str]:
    """Serve pages and API for as long as the context lasts, and /ingest/ when given; give their address.

    `any_port` takes a free port when the one of the settings is taken. Raises ConfigurationError otherwise.
    `labels` are of a demonstration's sensors.
    """
    # A process without this role starts again without its parts: a tenth of a second for each command, too.
    from alerting.contact_rules import ContactRules  # noqa: PLC0415
    from alerting.rule_desk import RuleDesk  # noqa: PLC0415
    from api.app import create_app  # noqa: PLC0415
    from deploy.command_desk import CommandDesk  # noqa: PLC0415

    keyring = keyring_of(running.settings)
    async with (
        _pool(running, running.dsns.api, "api", SEEN_FIRST) as pool,
        _pool(running, running.dsns.accounts, "accounts") as accounts,
    ):
        app = create_app(
            pool=pool,
            accounts=accounts,
            settings=running.settings.api,
            clock=now,
            registry=running.registry,
            keyring=keyring,
            contact_rules=ContactRules(running.settings.notifications),
            rule_desk=RuleDesk(),
            command_desk=CommandDesk(),
            mailer=RelayMailer(running.settings.notifications.smtp),
            filling=filling,
            labels=labels,
        )
        _add_ingest(app, running, ingesting)
        async with _served(app, running, any_port=any_port) as address:
            yield address


@contextlib.asynccontextmanager
async def _pool(running: Running, dsn: str, role: str, search_path: str = PLAIN) -> AsyncIterator[asyncpg.Pool]:
    """Give a pool of connections as one of the database's roles; refuse one to which its rules mean nothing."""
    if not dsn:
        raise ConfigurationError(f"database.{role}_dsn is not set: the API works as samara_{role}, see docs/access.md")
    size = running.settings.database.pool_size
    pool = await open_pool(dsn, size=size, application=f"samara-{role}", search_path=search_path)
    try:
        found = await standing(pool)
        if found.bypasses or found.owns:
            raise ConfigurationError(
                f"database.{role}_dsn: {found.role} passes over row security, so tenants would see each other; "
                f"connect as samara_{role}"
            )
        yield pool
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pool.close(), _POOL_CLOSE_S)


@contextlib.asynccontextmanager
async def bare_port(
    running: Running, ingesting: Ingesting | None, reasons: Sequence[Callable[[], str]]
) -> AsyncIterator[str]:
    """Serve /healthz, /readyz, /metrics, and /ingest/ when given, for a process without the API; give their address.

    Each of `reasons`, which may grow, says why the process is of no use now, or ''.
    """
    app = web.Application()
    app[_REGISTRY], app[_REASONS] = running.registry, reasons
    app.add_routes([web.get("/healthz", _healthz), web.get("/readyz", _readyz), web.get("/metrics", _metrics)])
    _add_ingest(app, running, ingesting)
    async with _served(app, running, any_port=False) as address:
        yield address


def _add_ingest(app: web.Application, running: Running, ingesting: Ingesting | None) -> None:
    settings = running.settings.ingest
    if ingesting is not None and settings.http:
        limit = settings.max_message_bytes
        routes = http.routes(settings.http, ingesting.intake, max_body_bytes=limit, registry=running.registry)
        for route in routes:
            require(UNASKED)(route.handler)  # it has a secret of its own, see ingest.http
        app.add_routes(routes)


@contextlib.asynccontextmanager
async def _served(app: web.Application, running: Running, *, any_port: bool) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        yield await _listen(runner, running.settings.api.host, running.settings.api.port, any_port=any_port)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int, *, any_port: bool) -> str:
    """Open the port and return the address to go to."""
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        if not (any_port and port and error.errno == errno.EADDRINUSE):
            said = os.strerror(error.errno) if error.errno else str(error)
            raise ConfigurationError(f"api: {host} port {port}: {said}; set api.host and api.port") from None
        return await _listen(runner, host, 0, any_port=False)
    bound = int(runner.addresses[0][1])
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound}/"


async def _healthz(_request: web.Request) -> web.Response:
    """Answer that the process runs."""
    return web.json_response({"status": "ok"})


async def _readyz(request: web.Request) -> web.Response:
    """Answer 200 when every role of the process is of use, 503 with the reasons otherwise."""
    found = [reason for reason in [ask() for ask in request.app[_REASONS]] if reason]
    if found:
        return web.json_response({"status": "not ready", "reason": "; ".join(found)}, status=503)
    return web.json_response({"status": "ready"})


async def _metrics(request: web.Request) -> web.Response:
    """Answer the registry in the text format of Prometheus."""
    body = exposition.generate_latest(request.app[_REGISTRY])
    return web.Response(body=body, headers={"Content-Type": exposition.CONTENT_TYPE_PLAIN_0_0_4})
