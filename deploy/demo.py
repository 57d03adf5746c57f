"""`samara demo`: the whole platform in one process, with a past and a present.

Each step's end is the exit of its context, so what was started is stopped, in the opposite order, whatever happens:
database, broker, schema, declarations, ingest, API, then the publishers of history, captures and live messages.
"""

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from deploy import demo_accounts, demo_box, demo_services, demo_state
from deploy.delivering import delivery_role
from deploy.demo_accounts import Visit
from deploy.demo_filling import fill
from deploy.demo_services import SOURCE, Demo
from deploy.evaluating import alerting_role
from deploy.maintaining import Upkeep, maintenance_role
from deploy.provisioning import provisioning_role
from deploy.roles import ingest_role, now, stop_on_signals, until
from deploy.settings import Settings
from deploy.web import api_role
from simulators.clock import SystemClock
from simulators.demo.scenario import run
from simulators.mqtt_publisher import Publisher

FIRST_PAGE: Final = "t/corbie"
_SUBSCRIBED_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.01


async def demo(
    settings: Settings, captures: tuple[Path, ...], before: timedelta | None, say: Callable[[str], None]
) -> None:
    """Run until a signal. `captures` are ChirpStack v4 messages to replay; `say` tells a person how it goes.

    `before` is how much there shall be before the first start; None: the scenario's fourteen months.
    """
    with stop_on_signals() as stop:
        async with AsyncExitStack() as stack:
            started = await stack.enter_async_context(demo_services.serving(settings, captures, before))
            ingest = (await stack.enter_async_context(ingest_role(started.running))).task
            maintaining = await stack.enter_async_context(
                maintenance_role(started.running, filling=lambda: not started.stored.is_set())
            )
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
        tasks.create_task(fill(started, upkeep, clock.now(), say))
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


def _welcome(address: str, visits: Sequence[Visit], data_dir: Path) -> str:
    first, *_ = visits
    accounts = "\n".join(f"    {one.email:<26} {one.password:<24} {one.words}" for one in visits)
    return (
        f"\n  Samara runs: {address}connexion/lien/{first.link}?next=/{FIRST_PAGE}\n\n"
        f"  This link opens it once, for {first.words}. Or sign in at {address} as one of\n\n{accounts}\n\n"
        f"  whose passwords are new at each start. Sensors to put in service, with their labels to scan, wait at\n"
        f"  {address}etiquettes\n\n"
        f"  Its past comes in now, the last month first, within a minute or so; what follows says when it is whole.\n"
        f"  Data: {data_dir}. Ctrl-C stops everything and keeps the data.\n"
    )


def say_to_stdout(text: str) -> None:
    """Tell a person, at once even into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
