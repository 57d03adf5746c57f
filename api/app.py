"""Put the API and the pages together into one application. `deploy` runs it, on what it hands over here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Final

import aiohttp
import asyncpg
import structlog
from aiohttp import web
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry

from api import (
    access,
    context,
    failures,
    health,
    mailing,
    openapi,
    opendata,
    pages,
    security,
    sensorthings,
    signing,
    v1,
    wakeups,
)
from api.commands import COMMAND_DESK, CommandDesk
from api.demonstration import LABELS, Label
from api.endpoint import Endpoint
from api.latest import read_news
from api.live import Hub, News
from api.loading import routes
from api.mailing import Mailer
from api.metrics import METRICS, Metrics, measured
from api.notifying import CONTACT_RULES, ContactRules
from api.oidc.flow import PROVIDERS
from api.oidc.provider import Provider
from api.opendata.serving import RATES
from api.pages import rendering
from api.problems import TOO_MANY_EXPORTS
from api.rates import Rates
from api.recent import Recent
from api.ruling import RULE_DESK, RuleDesk
from api.settings import ApiSettings
from api.slots import Slots
from store.access.bearer import who_may
from store.access.sealing import Keyring

log: Final = structlog.get_logger("api")


def create_app(
    *,
    pool: asyncpg.Pool,
    accounts: asyncpg.Pool,
    settings: ApiSettings,
    clock: context.Clock,
    registry: CollectorRegistry,
    keyring: Keyring,
    contact_rules: ContactRules,
    rule_desk: RuleDesk,
    command_desk: CommandDesk,
    mailer: Mailer,
    hasher: PasswordHasher | None = None,
    filling: Callable[[], bool] = lambda: False,
    labels: Sequence[Label] = (),
) -> web.Application:
    """Return the application, not yet started.

    It needs two connections of `pool` at least: one listens to commits for as long as the application runs.
    `accounts` is of the database's role that lets people in, `pool` of the one that reads for them.
    `contact_rules` says who can be told of alerts, and how; `rule_desk` checks rules and tries them on the past;
    `command_desk` makes bytes of commands for devices.
    `mailer` sends invitations and links to choose a password. `labels` are of a demonstration's sensors.
    `filling` says whether a demonstration's past still comes in: pages then say that their totals are not whole.
    `clock` tells the present, timezone-aware; `registry` is what /metrics shows, and gets the API's own series.
    Raises ConfigurationError when two modules declare one route; starting raises it when a route does not say what it
    needs (api.access).
    """
    app = web.Application(middlewares=[measured, failures.answered, access.guarded])

    async def news(tenant_id: int, cursor: int, bearer: bytes) -> News:
        return await read_news(pool, tenant_id, cursor, bearer)

    async def may_read(tenant_id: int, bearers: Collection[bytes]) -> set[bytes]:
        return await who_may(pool, bearers, access.READ, tenant_id)

    app[context.POOL] = pool
    app[context.ACCOUNTS] = accounts
    app[context.SETTINGS] = settings
    app[context.CLOCK] = clock
    app[context.FILLING] = filling
    app[CONTACT_RULES] = contact_rules
    app[RULE_DESK] = rule_desk
    app[COMMAND_DESK] = command_desk
    app[LABELS] = labels
    app[context.HUB] = Hub(read=news, who_may=may_read, settings=settings)
    app[context.RECENT] = Recent()
    app[context.EXPORTS] = Slots(settings.max_exports, TOO_MANY_EXPORTS)
    app[RATES] = Rates(settings.open_data_per_minute)
    app[METRICS] = Metrics(registry)
    of_api = routes(v1)
    app[openapi.ENDPOINTS] = tuple(route for route in of_api if isinstance(route, Endpoint))
    app.add_routes([*health.ROUTES, *of_api, *routes(pages), *routes(sensorthings), *routes(opendata)])
    signing.add_to(app, hasher or PasswordHasher(), keyring)
    mailing.add_to(app, mailer)
    rendering.add_to(app)
    app[PROVIDERS] = {}
    app.cleanup_ctx.append(_providers)
    app.on_response_prepare.append(security.protect)
    app.on_startup.append(access.all_declared)
    app.cleanup_ctx.append(_live)
    app.on_shutdown.append(_end_streams)
    return app


async def _providers(app: web.Application) -> AsyncIterator[None]:
    """Know the identity providers; nothing is asked of them before somebody comes by one."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=True) as http:
        app[PROVIDERS].update({one.name: Provider(one, http) for one in app[context.SETTINGS].oidc})
        yield


async def _live(app: web.Application) -> AsyncIterator[None]:
    """Follow the commits from start to stop."""
    hub, recent, settings = app[context.HUB], app[context.RECENT], app[context.SETTINGS]

    def wake(devices: frozenset[int] | None) -> None:
        hub.wake(devices)
        recent.wake(devices)

    tasks = [
        asyncio.create_task(hub.run()),
        asyncio.create_task(wakeups.listen(app[context.POOL], wake, reconnect_s=settings.reconnect_s)),
    ]
    for task in tasks:
        task.add_done_callback(_tell_failure)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)  # a failure was told when it happened


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("live updates stopped: this is a defect", exc_info=error)


async def _end_streams(app: web.Application) -> None:
    app[context.HUB].close()
    app[context.RECENT].close()
