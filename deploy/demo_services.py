"""What a demonstration stands on: database, broker and network server of its own, and a territory declared in them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from pydantic import SecretStr

from deploy import demo_facts, demo_network, demo_state, demo_territory
from deploy.database import broker_directory, embedded_directory
from deploy.declaring import declare
from deploy.demo_network import DemoNetwork
from deploy.dsns import let_roles_in, of_settings, passwords
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.process import EmbeddedServerError
from deploy.embedded.server import EmbeddedServer
from deploy.keyring import keyring_of
from deploy.metrics import new_registry
from deploy.roles import Running, now, worker_name
from deploy.settings import Settings
from ingest.settings import IngestSettings, MqttSource
from simulators.broker import BrokerAddress
from simulators.demo.scenario import Scenario
from store.fleet import declare_gateway, declare_tenant
from store.migrate import migrate
from store.pool import connect

log = structlog.get_logger("demo")

SOURCE: Final = "demo"
_HASTY: Final = {"synchronous_commit": "off", "max_wal_size": "4GB", "autovacuum_vacuum_insert_threshold": "-1"}


class Demo(NamedTuple):
    """What the parts of a running demonstration share."""

    running: Running
    broker: BrokerAddress
    captures: tuple[Path, ...]
    state_file: Path
    scenario: Scenario
    network: DemoNetwork
    watched: tuple[asyncio.Task[None], ...]  # end only if a server does, by itself
    stored: asyncio.Event  # the past is
    whole: asyncio.Event  # and it is rolled up


@asynccontextmanager
async def serving(settings: Settings, captures: tuple[Path, ...], before: timedelta | None) -> AsyncIterator[Demo]:
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
