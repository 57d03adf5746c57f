"""Ingest is killed in the middle of its work, as often as it takes: what was published is stored, once.

The ledger is the capture: it lies outside every process that is killed.
"""

import asyncio
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ingest_support import PATIENCE_S, Line, declare, fleet_of, ingesting, read_lines, source, until

from decoders.registry import Registry
from deploy.embedded.broker import EmbeddedBroker
from ingest.spool import Spool
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.replay import replay

PROGRAM = Path(__file__).with_name("ingest_process.py")
STORED = "SELECT coalesce(sum(messages), 0)::bigint FROM ingest_accounts WHERE outcome = 'stored'"
UPLINKS = "SELECT dev_eui, count(*) FROM uplinks JOIN devices USING (device_id) GROUP BY 1"
RECEPTIONS = 4472
EVENTS = 43 + 99 + 4
KILLS = 3


class Process:
    """Starts ingest, kills it, and starts it again."""

    def __init__(self, folder: Path, dsn: str, broker: Any, **settings: Any) -> None:
        self._folder = folder
        one = source(broker)
        self._settings = {
            "dsn": dsn,
            "folder": str(folder),
            "ingest": {"mqtt": [{"host": one.host, "port": one.port, "name": one.name, "client_id": one.client_id}]}
            | settings,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        path = self._folder / "settings.json"
        path.write_text(json.dumps(self._settings))
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, PROGRAM, path, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"ready" not in (line := await self._process.stdout.readline()):
                assert line, (self._folder / "log").read_text()

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Gate:
    """Stands before the database: open, or as if there were none."""

    def __init__(self, dsn: str) -> None:
        self._host, _, port = dsn.partition("@")[2].partition("/")[0].partition(":")
        self._port = int(port)
        self._dsn = dsn
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._own_port = 0

    @property
    def dsn(self) -> str:
        return self._dsn.replace(f":{self._port}/", f":{self._own_port}/")

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._let_in, "127.0.0.1", self._own_port)
        self._own_port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            await self._server.wait_closed()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection(self._host, self._port)
        ends = {writer, other_writer}
        self._writers |= ends
        await asyncio.gather(_pass(reader, other_writer), _pass(other_reader, writer))
        self._writers -= ends


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


@pytest.fixture
async def processes() -> AsyncIterator[list[Process]]:
    started: list[Process] = []
    yield started
    for process in started:
        await process.kill()


@pytest.fixture
async def impatient_nats_broker(service_directory: Path) -> AsyncIterator[EmbeddedBroker]:
    """What a killed client did not acknowledge, NATS sends again after `ack_wait` alone."""
    async with EmbeddedBroker(
        service_directory / "impatient", sync_interval="1s", ack_wait="1s", is_guarded=False
    ) as broker:
        yield broker


@pytest.fixture(params=["impatient_nats_broker", "mosquitto_broker"])
def broker(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def lines(chirpstack_capture: Path) -> list[Line]:
    return read_lines(chirpstack_capture)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def publish(capture: Path, broker: Any) -> None:
    address = BrokerAddress(host=broker.host, port=broker.port)
    await replay([capture], address, clock=SystemClock(), client_id="kill-replay")


async def until_stored(connection: Any, count: int) -> None:
    async def is_stored() -> bool:
        return bool(await connection.fetchval(STORED) >= count)

    await until(is_stored)


async def assert_exactly_once(connection: Any, lines: list[Line]) -> None:
    assert await connection.fetchval(STORED) == len(lines)
    sent = Counter(line.payload["deviceInfo"]["devEui"] for line in lines if "fCnt" in line.payload)
    assert dict(await connection.fetch(UPLINKS)) == sent
    assert await connection.fetchval("SELECT count(*) FROM receptions") == RECEPTIONS
    assert await connection.fetchval("SELECT count(*) FROM network_events") == EVENTS
    assert await connection.fetchval("SELECT count(*) FROM quarantine") == 0


async def test_killed_in_mid_replay_again_and_again(
    database: str,
    broker: Any,
    chirpstack_capture: Path,
    lines: list[Line],
    registry: Registry,
    tmp_path: Path,
    processes: list[Process],
) -> None:
    await declare(database, fleet_of(lines, registry))
    process = Process(tmp_path, database, broker, max_batch=40, max_linger_ms=0)
    processes.append(process)
    await process.start()
    async with connected(database) as connection:
        publishing = asyncio.create_task(publish(chirpstack_capture, broker))
        left = []
        for point in sorted(random.Random(4431).sample(range(1, len(lines)), KILLS)):
            await until_stored(connection, point)
            await process.kill()
            left.append(len(lines) - await connection.fetchval(STORED))
            await process.start()
        assert left[0] > 0
        await publishing
        await until_stored(connection, len(lines))
        await assert_exactly_once(connection, lines)


def spooled(folder: Path) -> int:
    """Count what lies in the spool of a process that runs."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / "spool" / "test", copy)
    spool = Spool(copy, max_bytes=1 << 30)
    try:
        return len({(one.topic, one.body) for one in spool.read(max_records=10**6, max_bytes=1 << 30).records})
    finally:
        spool.close()


async def test_killed_while_the_store_is_away(
    database: str,
    mosquitto_broker: Any,
    chirpstack_capture: Path,
    lines: list[Line],
    registry: Registry,
    tmp_path: Path,
    processes: list[Process],
) -> None:
    """Acknowledged from the spool, killed, started again without a store, killed: then the store comes back."""
    await declare(database, fleet_of(lines, registry))
    gate = Gate(database)
    await gate.open()
    process = Process(tmp_path, gate.dsn, mosquitto_broker)
    processes.append(process)
    await process.start()
    await gate.shut()
    await publish(chirpstack_capture, mosquitto_broker)

    async def all_spooled() -> bool:
        return spooled(tmp_path) == len(lines)

    await until(all_spooled)
    for _ in range(2):
        await process.kill()
        await process.start()
    async with connected(database) as connection:
        assert await connection.fetchval(STORED) == 0
        await gate.open()
        await until_stored(connection, len(lines))
        await assert_exactly_once(connection, lines)
    await process.kill()
    await gate.shut()


async def test_stopped_in_mid_replay_repeats_nothing(
    database: str,
    mosquitto_broker: Any,
    chirpstack_capture: Path,
    lines: list[Line],
    registry: Registry,
    tmp_path: Path,
) -> None:
    """Who is asked to stop acknowledges what it holds: the next process begins where this one ended."""
    await declare(database, fleet_of(lines, registry))
    heard = source(mosquitto_broker)
    bounds = {"max_batch": 40, "max_unacknowledged": 200}
    async with connected(database) as connection:
        async with ingesting(database, tmp_path, heard):
            pass
        await publish(chirpstack_capture, mosquitto_broker)
        for point in (1, 1500, 3000, len(lines)):
            async with ingesting(database, tmp_path, heard, **bounds):
                await until_stored(connection, point)
        await assert_exactly_once(connection, lines)
        assert await connection.fetchval("SELECT sum(messages) FROM ingest_accounts") == len(lines)
