"""`samara demo`: the whole platform in one process, with a past and a present.

Each step's end is the exit of its context, so what was started is stopped, in the opposite order, whatever happens:
database, broker, schema, declarations, ingest, API, then the publishers of history, captures and live messages.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deploy import demo_accounts, demo_box, demo_facts, demo_network, demo_state, demo_territory
from deploy.database import broker_directory, embedded_directory
from deploy.declaring import declare
from deploy.delivering import delivery_role
from deploy.demo_accounts import Visit
from deploy.demo_network import DemoNetwork
from deploy.demo_past import past
from deploy.demo_state import DemoState
from deploy.dsns import let_roles_in, of_settings, passwords
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.process import EmbeddedServerError
from deploy.embedded.server import EmbeddedServer
from deploy.evaluating import alerting_role
from deploy.keyring import keyring_of
from deploy.maintaining import Upkeep, maintenance_role
from deploy.metrics import new_registry
from deploy.provisioning import provisioning_role
from deploy.roles import Running, ingest_role, now, stop_on_signals, until, worker_name
from deploy.settings import Settings
from deploy.web import api_role
from ingest.settings import IngestSettings, MqttSource
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.demo.scenario import Scenario, run
from simulators.mqtt_publisher import Publisher
from simulators.replay import replay
from store.fleet import declare_gateway, declare_tenant
from store.migrate import migrate
from store.pool import connect

log = structlog.get_logger("demo")

SOURCE: Final = "demo"
FIRST_PAGE: Final = "t/corbie"
_SUBSCRIBED_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.01
_HASTY: Final = {"synchronous_commit": "off", "max_wal_size": "4GB", "autovacuum_vacuum_insert_threshold": "-1"}
_AHEAD: Final = 3000  # messages of the past that may be on their way: a slow machine is not flooded with a year


class Demo(NamedTuple):
    """What the parts of a running demonstration share."""

    running: Running
    broker: BrokerAddress
    captures: tuple[Path, ...]
    state_file: Path
    scenario: Scenario
    network: DemoNetwork
    watched: tuple[asyncio.Task[None], ...]  # end only if a server does, by itself
    whole: asyncio.Event  # the past is stored and rolled up


async def demo(
    settings: Settings, captures: tuple[Path, ...], before: timedelta | None, say: Callable[[str], None]
) -> None:
    """Run until a signal. `captures` are ChirpStack v4 messages to replay; `say` tells a person how it goes.

    `before` is how much there shall be before the first start; None: the scenario's fourteen months.
    """
    with stop_on_signals() as stop:
        async with AsyncExitStack() as stack:
            started = await stack.enter_async_context(_services(settings, captures, before))
            ingest = (await stack.enter_async_context(ingest_role(started.running))).task
            maintaining = await stack.enter_async_context(maintenance_role(started.running))
            alerting = (await stack.enter_async_context(alerting_role(started.running))).task
            delivery = (await stack.enter_async_context(delivery_role(started.running))).task
            address = await stack.enter_async_context(
                api_role(
                    started.running,
                    any_port=True,
                    filling=lambda: not started.whole.is_set(),
                    labels=demo_box.labels(),
                )
            )
            provisioning = (await stack.enter_async_context(provisioning_role(started.running))).task
            await _subscribed(started.running.registry, ingest)
            say(_welcome(address, await demo_accounts.make(started.running.dsns.owner), settings.data_dir))
            publishing = asyncio.create_task(_publish(started, maintaining.upkeep, stop, say), name="the publisher")
            try:
                roles = (ingest, maintaining.task, alerting, delivery, provisioning)
                await until(stop, *roles, publishing, *started.watched)
            finally:
                publishing.cancel()
                await asyncio.gather(publishing, return_exceptions=True)
                _remember_the_present(started.state_file, now())
    say("Stopped. The data stays for the next start.")


@asynccontextmanager
async def _services(settings: Settings, captures: tuple[Path, ...], before: timedelta | None) -> AsyncIterator[Demo]:
    """Start database and broker, bring the schema up to date, declare the territory."""
    async with (
        # A power cut may lose the last second of a demonstration; on a slow disk, fsync would take minutes.
        EmbeddedPostgres(embedded_directory(settings), settings.pg_bin, _HASTY) as postgres,
        EmbeddedBroker(broker_directory(settings), sync_interval="1s") as broker,
        AsyncExitStack() as stack,
    ):
        await migrate(postgres.dsn)
        await let_roles_in(postgres.dsn, passwords(settings, postgres.dsn))
        state_file = settings.data_dir / "demo.json"
        scenario = _scenario(state_file, before)
        await _declare(postgres.dsn, captures, scenario)
        network = await stack.enter_async_context(demo_network.serving(scenario))
        await demo_network.configure(postgres.dsn, keyring_of(settings), network, scenario, now())
        watched = tuple(asyncio.create_task(_watch(server)) for server in (postgres, broker))
        try:
            yield Demo(
                Running(
                    _with_source(settings, broker, network),
                    of_settings(settings, postgres.dsn),
                    worker_name(settings),
                    new_registry(),
                ),
                BrokerAddress(host=broker.host, port=broker.port, username=broker.username, password=broker.password),
                captures,
                state_file,
                scenario,
                network,
                watched,
                asyncio.Event(),
            )
        finally:
            for task in watched:
                task.cancel()


async def _watch(server: EmbeddedServer) -> None:
    code = await server.ended()
    raise EmbeddedServerError(f"a server ended by itself, with code {code}; see {server.log_file}")


def _with_source(settings: Settings, broker: EmbeddedBroker, network: DemoNetwork) -> Settings:
    """Return the settings with the demonstration's own network server, for only source and to be spoken to."""
    source = MqttSource(
        name=SOURCE,
        lns="chirpstack",
        host=broker.host,
        port=broker.port,
        client_id="samara-demo",
        username=broker.username,
        password=SecretStr(broker.password),
    )
    ingest = IngestSettings(**settings.ingest.model_dump() | {"mqtt": (source,), "http": ()})
    api = settings.api.model_copy(update={"demo": True, "second_factor_for": ()})
    provisioning = settings.provisioning.model_copy(update={"servers": (network.address,)})
    return settings.model_copy(update={"ingest": ingest, "api": api, "provisioning": provisioning})


def _scenario(state_file: Path, before: timedelta | None) -> Scenario:
    """Return the scenario of the first start, once and for all: its day, and how much past it has."""
    state = demo_state.load(state_file)
    if state.story is None or state.begin is None:
        story = now()
        state = state._replace(story=story, begin=story - before if before is not None else Scenario(story=story).past)
        demo_state.save(state_file, state)
    assert state.story is not None
    assert state.begin is not None
    return Scenario(story=state.story, memory=state.story - state.begin)


async def _declare(dsn: str, captures: tuple[Path, ...], scenario: Scenario) -> None:
    listed = demo_territory.simulated(scenario)
    if captures:
        listed += await asyncio.to_thread(demo_territory.captured, captures)
    connection = await connect(dsn, application="samara-demo")
    try:
        for tenant in demo_territory.tenants(with_captures=bool(captures)):
            await declare_tenant(connection, tenant)
        async for told in declare(connection, listed, now()):
            if told.problem:
                log.warning("a device was not declared", dev_eui=told.dev_eui, reason=told.problem)
        for one in scenario.gateways:
            await declare_gateway(connection, one.gateway_id, one.name, one.position)
        await demo_facts.tell(connection, scenario)
    finally:
        await connection.close()


async def _subscribed(registry: CollectorRegistry, ingest: asyncio.Task[None]) -> None:
    """Return once ingest has its subscription: what is published before would not be kept for it."""
    async with asyncio.timeout(_SUBSCRIBED_WITHIN_S):
        while not registry.get_sample_value("samara_broker_connected", {"source": SOURCE}):
            if ingest.done():
                ingest.result()
            await asyncio.sleep(_POLL_S)


async def _publish(started: Demo, upkeep: Upkeep, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    """Publish live messages for ever; beside them, once, the past that is not stored yet."""
    clock = SystemClock()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_publish_past(started, upkeep, clock.now(), say))
        network = started.network.network
        tasks.create_task(demo_box.wake(started.running.dsns.owner, started.broker, started.scenario, network, stop))
        async with Publisher(started.broker, client_id="demo-live") as publisher:
            await run(publisher, started.scenario, clock, stop, network)
    await stop.wait()


def _remember_the_present(state_file: Path, moment: datetime) -> None:
    """Let the next start's history begin where this run's live messages ended."""
    state = demo_state.load(state_file)
    if state.history_until is not None:
        demo_state.save(state_file, state._replace(history_until=moment))


async def _publish_past(started: Demo, upkeep: Upkeep, until_time: datetime, say: Callable[[str], None]) -> None:
    state, loop = demo_state.load(started.state_file), asyncio.get_running_loop()
    begin, count, begun_s = state.history_until or started.scenario.past, 0, loop.time()
    async with Publisher(started.broker, client_id="demo-past") as publisher:
        async for part in past(started.scenario, begin, until_time):
            count += await publisher.publish_many(part)
            await _settled(started.running.registry, count - _AHEAD)
        await _settled(started.running.registry, count)
    say(f"  {count} messages of the last {(until_time - begin).days} days stored, after {loop.time() - begun_s:.0f} s")
    await upkeep.caught_up()
    started.whole.set()
    say(f"  The totals of the pages are whole, after {loop.time() - begun_s:.0f} s")
    if state.history_until is None:
        await _watch_over(started, until_time)
        say(f"  Rules watch, after {loop.time() - begun_s:.0f} s")
    state = state._replace(history_until=until_time)
    demo_state.save(started.state_file, state)
    if started.captures and not state.captures_done:
        await _publish_captures(started, state, until_time, say)


async def _settled(registry: CollectorRegistry, count: int) -> None:
    """Return once ingest has dealt with so many messages."""
    dealt_with = ("samara_stored_total", "samara_duplicates_total", "samara_quarantined_total")
    while sum(registry.get_sample_value(name) or 0 for name in dealt_with) < count:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(_POLL_S)


async def _watch_over(started: Demo, moment: datetime) -> None:
    """Have rules watch some communes, once the past that they are tried on is stored."""
    connection = await connect(started.running.dsns.owner, application="samara-demo")
    try:
        await demo_facts.watch(connection, moment)
    finally:
        await connection.close()


async def _publish_captures(started: Demo, state: DemoState, moment: datetime, say: Callable[[str], None]) -> None:
    """Replay what real sensors sent, moved to now; after an interruption, moved to the same moment again."""
    at = state.captures_at or moment
    state = state._replace(captures_at=at)
    demo_state.save(started.state_file, state)
    report = await replay(
        started.captures, started.broker, clock=_FixedNow(at), shift_to_now=True, client_id="demo-captures"
    )
    demo_state.save(started.state_file, state._replace(captures_done=True))
    say(f"  {report.acknowledged} messages of real sensors replayed")


class _FixedNow(SystemClock):
    """The machine's clock, but for the time of day, which stands still."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the moment given."""
        return self._moment


def _welcome(address: str, visits: Sequence[Visit], data_dir: Path) -> str:
    first, *_ = visits
    accounts = "\n".join(f"    {one.email:<26} {one.password:<24} {one.words}" for one in visits)
    return (
        f"\n  Samara runs: {address}connexion/lien/{first.link}?next=/{FIRST_PAGE}\n\n"
        f"  This link opens it once, for {first.words}. Or sign in at {address}{FIRST_PAGE} as one of\n\n{accounts}\n\n"
        f"  whose passwords are new at each start. Sensors to put in service, with their labels to scan, wait at\n"
        f"  {address}etiquettes\n\n"
        f"  Data: {data_dir}. Ctrl-C stops everything and keeps the data.\n"
    )


def say_to_stdout(text: str) -> None:
    """Tell a person, at once even into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
