"""The acceptance test of the whole platform: every fault at once, while ingest and the database are killed in turn."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy import simulating
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres
from faults.figures import Figures
from faults.proxy import Proxy, postgres_messages
from faults.territory import Stopwatch, gated, through
from simulators import scenarios
from simulators.clock import SystemClock
from simulators.load import ledger
from simulators.load.judge import BROKEN_BY, told
from simulators.load.ledger import Fault
from simulators.load.spec import Format, LoadSpec, read
from store.migrate import migrate

BATCH = 256  # messages, of `simulators.load.run`
SERVERS = {"chirpstack-json": "chirpstack", "chirpstack-protobuf": "chirpstack", "things-stack": "thethingsstack"}
DEATHS = (signal.SIGKILL, signal.SIGQUIT)  # of PostgreSQL: kill -9 of its postmaster, `pg_ctl stop -m immediate`


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(tmp_path / "nats", sync_interval="1s", ack_wait="1s", is_guarded=False) as broker:
        yield broker


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def everything(uplinks: int, form: Format) -> LoadSpec:
    """The shipped scenario, larger or smaller: twelve hours and more that ended an hour ago."""
    per_device = 15 if uplinks < 10_000 else 50
    spec = replace(
        read(scenarios.find("everything")), devices=uplinks // per_device, uplinks_per_device=per_device, format=form
    )
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=spec.duration_s + 3600)
    return replace(spec, start_at=start)


async def kill_database(server: EmbeddedPostgres, proxy: Proxy, death: signal.Signals) -> None:
    """End PostgreSQL as a power cut would, and start it again: it has to recover."""
    os.kill(server.pid, death)
    await server.ended()
    await server.__aexit__(None, None, None)
    await server.__aenter__()
    proxy.server_port = server.port


@pytest.mark.parametrize(
    ("broker", "form", "uplinks", "kills"),
    [
        ("mosquitto", "chirpstack-json", 5_100, 4),
        pytest.param("mosquitto", "chirpstack-json", 200_000, 40, marks=pytest.mark.slow),
        pytest.param("nats", "chirpstack-protobuf", 200_000, 40, marks=pytest.mark.slow),
        pytest.param("mosquitto", "things-stack", 200_000, 40, marks=pytest.mark.slow),
    ],
    indirect=["broker"],
)
async def test_everything_at_once(
    broker: Any, form: Format, uplinks: int, kills: int, service_directory: Path, pg_bin: Path | None, ingest: Any,
    tmp_path: Path, figures: Figures,
) -> None:  # fmt: skip
    spec, chance, took = everything(uplinks, form), random.Random(uplinks), Stopwatch()
    book, batches = tmp_path / "ledger", uplinks // BATCH
    # A killed process loses nothing that the kernel has: the short form does without fsync.
    settings = {"shared_buffers": "64MB"} | ({"fsync": "off"} if uplinks < 10_000 else {})
    server = EmbeddedPostgres(service_directory / f"pg-{form}-{uplinks}", pg_bin, settings)
    async with server, Proxy(server.port, postgres_messages) as proxy:
        await migrate(server.dsn)
        connection = await asyncpg.connect(server.dsn)
        await simulating.declare(connection, spec, spec.start_at)
        await connection.close()
        source = {"lns": SERVERS[form]}
        service = await ingest(through(server.dsn, proxy.port), broker, source=source, max_batch=500).start()
        async with gated(spec, broker.port, book) as gate:
            for kill in range(kills):
                gate.let(batches // kills)
                await asyncio.sleep(chance.uniform(0, 0.3))
                if kill % 2:
                    await kill_database(server, proxy, DEATHS[kill // 2 % 2])
                else:
                    service.kill()
                    await service.start()
        verdict = await simulating.until_judged(server.dsn, book, clock=SystemClock(), quiet_s=20)
        await service.stop()
        again = await simulating.until_judged(server.dsn, book, clock=SystemClock(), quiet_s=0)
    assert not verdict.broken, told(verdict)
    assert again == verdict
    assert verdict.expected > 0.8 * uplinks
    assert verdict.set_aside > uplinks // 100
    assert {one.fault for one in verdict.causes} == {fault.name.lower() for fault in Fault}
    figures.report(
        f"every fault at once, {form}, {type(broker).__name__}, ingest and PostgreSQL killed {kills} times in turn",
        emitted=len(ledger.read(book).records), stored=verdict.stored,
        **{name: getattr(verdict, name) for name in BROKEN_BY},
        latency_p99_s=verdict.latency_p99_s, took_s=took.seconds,
    )  # fmt: skip
