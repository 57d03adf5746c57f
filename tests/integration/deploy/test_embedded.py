"""Embedded services: kept from one start to the next, for root and for others, no orphan whatever happens."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import paho.mqtt.client as mqtt
import pytest

from deploy.embedded import programs
from deploy.embedded import server as server_module
from deploy.embedded.broker import EmbeddedBroker, running
from deploy.embedded.postgres import EmbeddedPostgres, running_dsn
from deploy.embedded.process import AlreadyRunningError, EmbeddedServerError, process_end
from deploy.embedded.programs import reachable_binaries
from deploy.embedded.users import server_identity
from domain.errors import ConfigurationError
from simulators.broker import BrokerAddress, BrokerRefusedError
from simulators.mqtt_publisher import Publisher

ROOT = Path(__file__).parents[3]
FAST = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="Other users: only root can start as one; run the tests as root")


@contextmanager
def for_everyone() -> Iterator[Path]:
    """Make a directory that every user can enter."""
    made = Path(tempfile.mkdtemp(prefix="samara-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def directory() -> Iterator[Path]:
    with for_everyone() as made:
        yield made


@pytest.fixture(scope="module")
async def started_once() -> AsyncIterator[Path]:
    """The directory of a server that was made, started and stopped."""
    with for_everyone() as parent:
        async with EmbeddedPostgres(parent / "pg", settings=FAST):
            pass
        yield parent / "pg"


@pytest.fixture
def kept(directory: Path, started_once: Path) -> Path:
    """A copy of it, owners and all: most of a first start is what comes before the server runs."""
    subprocess.run(["cp", "--archive", started_once, directory / "pg"], check=True)
    return directory / "pg"


async def ask(dsn: str, *statements: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


async def test_a_second_start_keeps_the_data_and_is_quick(directory: Path) -> None:
    async with EmbeddedPostgres(directory / "pg", settings=FAST) as server:
        await ask(server.dsn, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    clock = asyncio.get_running_loop().time
    before = clock()
    async with EmbeddedPostgres(directory / "pg", settings=FAST) as server:
        assert clock() - before < 1.5
        assert await ask(server.dsn, "SELECT n FROM kept") == 7


async def test_the_cluster_is_utf8_scram_loopback_and_private(directory: Path) -> None:
    async with EmbeddedPostgres(directory / "pg", settings=FAST) as server:
        assert await ask(server.dsn, "SHOW server_encoding") == "UTF8"
        assert await ask(server.dsn, "SELECT datcollate FROM pg_database WHERE datname = 'postgres'") == "C.UTF-8"
        assert await ask(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(server.dsn, "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolpassword <> ''")
        assert await ask(server.dsn, "SELECT timestamptz '2026-07-01Z' AT TIME ZONE 'Europe/Paris'") is not None
        assert (server.directory / "password").stat().st_mode & 0o777 == 0o600
        assert server.directory.stat().st_mode & 0o777 == 0o700
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(host="127.0.0.1", port=server.port, user="postgres", password="guess", ssl=False)


async def test_one_owner_at_a_time(kept: Path, directory: Path) -> None:
    async with EmbeddedPostgres(kept, settings=FAST), EmbeddedBroker(directory / "broker"):
        with pytest.raises(AlreadyRunningError, match="another Samara runs in"):
            await EmbeddedPostgres(kept).__aenter__()
        with pytest.raises(AlreadyRunningError):
            await EmbeddedBroker(directory / "broker").__aenter__()


async def test_what_runs_in_a_directory_can_be_found(kept: Path, directory: Path) -> None:
    assert running_dsn(directory / "nothing") is None
    assert running_dsn(kept) is None
    assert running(directory / "broker") is None
    async with EmbeddedPostgres(kept, settings=FAST) as server, EmbeddedBroker(directory / "broker") as b:
        assert running_dsn(kept) == server.dsn
        assert running(directory / "broker") == (b.port, b.username, b.password)
    assert running_dsn(kept) is None
    assert running(directory / "broker") is None


async def test_an_interrupted_first_start_begins_again(directory: Path) -> None:
    async with EmbeddedPostgres(directory / "pg", settings=FAST):
        pass
    (directory / "pg" / "cluster").rename(directory / "pg" / "cluster.draft")
    async with EmbeddedPostgres(directory / "pg", settings=FAST) as server:
        assert await ask(server.dsn, "SELECT 1") == 1


async def test_a_wrong_setting_says_what_postgresql_said(kept: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no_such_setting"):
        await EmbeddedPostgres(kept, settings=FAST | {"no_such_setting": "1"}).__aenter__()
    async with EmbeddedPostgres(kept, settings=FAST):
        pass  # and the failed start holds nothing


async def test_a_port_taken_meanwhile_is_replaced(kept: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        taken = squatter.getsockname()[1]
        real = server_module.free_port
        for one in (EmbeddedPostgres(kept, settings=FAST), EmbeddedBroker(directory / "broker")):
            first = iter([taken])
            monkeypatch.setattr(server_module, "free_port", lambda first=first: next(first, None) or real())
            async with one as server:
                assert server.port != taken


async def test_a_directory_without_programs_is_refused(directory: Path) -> None:
    with pytest.raises(ConfigurationError, match="no postgres, initdb, pg_config in"):
        await EmbeddedPostgres(directory / "pg", bin_dir=directory).__aenter__()


# ---- who runs it


@as_root
async def test_root_runs_it_as_another_user(directory: Path) -> None:
    async with EmbeddedPostgres(directory / "pg", settings=FAST) as server:
        assert _user_of(server.pid) != 0
        assert (directory / "pg").stat().st_uid != 0


@as_root
async def test_an_existing_cluster_keeps_its_owner(directory: Path) -> None:
    other = pwd.getpwnam("nobody")
    (directory / "pg").mkdir(mode=0o700)
    os.chown(directory / "pg", other.pw_uid, other.pw_gid)
    async with EmbeddedPostgres(directory / "pg", settings=FAST) as server:
        assert _user_of(server.pid) == other.pw_uid


@as_root
async def test_where_that_user_cannot_go_the_files_are_elsewhere(directory: Path) -> None:
    private = directory / "private"
    private.mkdir(mode=0o700)
    for _ in range(2):
        async with EmbeddedPostgres(private / "pg", settings=FAST, fallback=directory / "elsewhere") as server:
            assert server.directory.parent == directory / "elsewhere"
            await ask(server.dsn, "CREATE TABLE IF NOT EXISTS kept (n int)", "SELECT 1")
    assert (private / "pg").is_symlink()
    assert len(list((directory / "elsewhere").iterdir())) == 1


@as_root
def test_programs_that_it_cannot_reach_are_copied(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = server_identity(0)
    assert identity is not None
    monkeypatch.setattr(programs, "can_enter", lambda _path, _identity: False)
    for _ in range(2):
        copied = reachable_binaries(None, directory, identity)
        assert copied.is_relative_to(directory)
        for program in ("postgres", "initdb"):
            subprocess.run([copied / program, "--version"], check=True, user=identity.uid, group=identity.gid)
    with pytest.raises(ConfigurationError, match="cannot enter"):
        reachable_binaries(programs.wheel_binaries(), directory, identity)


# ---- how it ends


@pytest.fixture
def holders() -> Iterator[list[subprocess.Popen[str]]]:
    """Those that a test started; none outlives it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for holder in started:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()


def hold(directory: Path, holders: list[subprocess.Popen[str]]) -> tuple[subprocess.Popen[str], dict[str, int]]:
    holder = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("hold_services.py"), directory],
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    holders.append(holder)
    assert holder.stdout is not None
    return holder, json.loads(holder.stdout.readline())


@pytest.mark.parametrize("user", [None, pytest.param("nobody", marks=as_root)])
async def test_killed_it_leaves_no_orphan_and_loses_nothing(
    directory: Path, user: str | None, holders: list[subprocess.Popen[str]]
) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(directory, entry.pw_uid, entry.pw_gid)
    for rows in (1, 2, 3):
        holder, said = hold(directory, holders)
        assert said["rows"] == rows
        holder.kill()
        holder.wait()
        if rows != 2:  # once, the next start finds the last servers still stopping
            await asyncio.wait_for(process_end(said["postgres"]), 5)
            await asyncio.wait_for(process_end(said["broker"]), 5)
    assert not _alive(said["postgres"])
    assert not _alive(said["broker"])


async def test_what_a_dead_owner_left_running_is_stopped(directory: Path, holders: list[subprocess.Popen[str]]) -> None:
    """As after a death that the kernel did not tell: the next owner finds servers in its directory."""
    _, said = hold(directory, holders)
    for name in ("postgres", "broker"):
        (directory / name / "lock").unlink()
    async with EmbeddedPostgres(directory / "postgres") as server, EmbeddedBroker(directory / "broker"):
        assert await ask(server.dsn, "SELECT count(*) FROM kept") == 1
        assert not _alive(said["postgres"])
        assert not _alive(said["broker"])


async def test_a_pid_file_that_names_another_program_does_not_stop_the_start(kept: Path) -> None:
    async with EmbeddedPostgres(kept, settings=FAST) as server:
        pid_file = server.directory / "cluster" / "postmaster.pid"
        _, *rest = pid_file.read_text(encoding="utf-8").splitlines(keepends=True)
        os.kill(server.pid, signal.SIGKILL)
        await server.ended()
    with sleeper(pid_file.stat().st_uid) as other:
        pid_file.write_text("".join([f"{other.pid}\n", *rest]), encoding="utf-8")
        async with EmbeddedPostgres(kept, settings=FAST) as server:
            assert await ask(server.dsn, "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


async def test_a_terminals_interrupt_does_not_reach_the_servers(kept: Path, directory: Path) -> None:
    async with EmbeddedPostgres(kept, settings=FAST) as server, EmbeddedBroker(directory / "b") as broker:
        assert os.getpgid(server.pid) == server.pid
        assert os.getpgid(broker.pid) == broker.pid


async def test_the_end_of_a_server_is_noticed(directory: Path) -> None:
    async with EmbeddedBroker(directory / "b") as broker:
        os.kill(broker.pid, signal.SIGKILL)
        assert await asyncio.wait_for(broker.ended(), 5) == -signal.SIGKILL


def sleeper(uid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "600"], user=uid)


def _alive(pid: int) -> bool:
    """Say whether it runs. A zombie, which only waits for its parent to read its exit code, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


# ---- what the broker keeps


def _client(name: str) -> mqtt.Client:
    return mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)


def _subscribe(port: int, topic: str) -> None:
    done = threading.Event()
    client = _client("reader")
    client.on_connect = lambda *_: client.subscribe(topic, 1)
    client.on_subscribe = lambda *_: done.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(5)
    client.disconnect()
    client.loop_stop()


def _publish(port: int, topic: str, payloads: list[bytes]) -> None:
    client = _client("writer")
    client.connect("127.0.0.1", port)
    client.loop_start()
    for info in [client.publish(topic, payload, qos=1) for payload in payloads]:
        info.wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def _receive(port: int, count: int) -> list[bytes]:
    received: list[bytes] = []
    done = threading.Event()
    client = _client("reader")

    def keep(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        received.append(message.payload)
        if len(received) == count:
            done.set()

    client.on_message = keep
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert done.wait(10)
    client.disconnect()
    client.loop_stop()
    return received


async def test_what_it_acknowledged_outlives_its_kill(directory: Path) -> None:
    payloads = [b"%d" % number for number in range(50)]
    async with EmbeddedBroker(directory / "b", is_guarded=False) as broker:
        await asyncio.to_thread(_subscribe, broker.port, "application/#")
        await asyncio.to_thread(_publish, broker.port, "application/a/device/d/event/up", payloads)
        os.kill(broker.pid, signal.SIGKILL)
        await broker.ended()
    async with EmbeddedBroker(directory / "b", is_guarded=False) as broker:
        assert await asyncio.to_thread(_receive, broker.port, 50) == payloads


async def test_a_large_message_passes(directory: Path) -> None:
    async with EmbeddedBroker(directory / "b", is_guarded=False) as broker:
        await asyncio.to_thread(_subscribe, broker.port, "large")
        await asyncio.to_thread(_publish, broker.port, "large", [b"x" * 4_000_000])
        assert len((await asyncio.to_thread(_receive, broker.port, 1))[0]) == 4_000_000


async def test_the_broker_lets_in_who_has_its_password(directory: Path) -> None:
    """It is made once; its owner alone can read it, and the configuration that holds it."""
    async with EmbeddedBroker(directory / "b") as broker:
        password = broker.password
        async with Publisher(BrokerAddress(port=broker.port, username="samara", password=password), client_id="one"):
            pass
        for refused in ("", "guess"):
            with pytest.raises(BrokerRefusedError):
                async with Publisher(
                    BrokerAddress(port=broker.port, username="samara", password=refused), client_id="other"
                ):
                    pass
        for name in ("password", "broker.conf"):
            assert (broker.directory / name).stat().st_mode & 0o077 == 0
    async with EmbeddedBroker(directory / "b") as broker:
        assert broker.password == password
