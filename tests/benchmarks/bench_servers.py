"""The broker, the database and the child processes of a benchmark, and what CPU time and memory each took."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any, Final, NamedTuple

import asyncpg
import psutil

from deploy.embedded.postgres import EmbeddedPostgres
from deploy.embedded.process import Child as Server
from deploy.embedded.process import free_port, spawn
from store.migrate import migrate

HERE: Final = Path(__file__).parent

# Nothing that an operator would relax is relaxed. The last two only tell when a commit was, and what an fsync took.
# A quarter of the memory is what PostgreSQL's documentation advises (19.4.1), and what docs/scaling.md asks for.
PRODUCTION: Final = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": f"{psutil.virtual_memory().total // 4 // 2**20}MB",
    "max_wal_size": "32GB",  # so that time begins checkpoints, at 27 MB of WAL a second: docs/scaling.md
    "checkpoint_timeout": "15min",
    "track_commit_timestamp": "on",
    "track_wal_io_timing": "on",
}

# A window of 1,000 for MQTT 3.1.1 (5 says its own), and no bound on what waits: by default it drops beyond 1,000.
_MOSQUITTO: Final = """\
user root
listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
persistence false
"""


class Broker(NamedTuple):
    """Where a Mosquitto is."""

    pid: int
    host: str
    port: int


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[Broker]:
    """Run a Mosquitto with nothing in it."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SystemExit("Mosquitto: not installed; apt-get install mosquitto")
    port = free_port()
    configuration = folder / "mosquitto.conf"
    configuration.write_text(_MOSQUITTO.format(port=port), encoding="utf-8")
    server = spawn([program, "-c", configuration], name="Mosquitto", log_file=folder / "mosquitto.log", identity=None)
    try:
        async with asyncio.timeout(10):
            await _accepts(port, server)
        yield Broker(server.pid, "127.0.0.1", port)
    finally:
        await server.stop(SIGINT, SIGTERM, timeout_s=5)


async def _accepts(port: int, server: Server) -> None:
    while True:
        server.require_alive()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return


class Database:
    """One PostgreSQL; `fresh()` gives a migrated database that knows the fleet, and nothing else."""

    def __init__(self, server: EmbeddedPostgres, *, timescale: bool) -> None:
        self._server = server
        self._timescale = timescale
        self._number = 0
        self.template = "bench_timescale" if timescale else "bench_plain"

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._server.pid

    async def prepare(self, devices: Sequence[str], model_id: str) -> None:
        """Make the template."""
        await self._administer(f"CREATE DATABASE {self.template}")
        dsn = self._dsn(self.template)
        await migrate(dsn, timescale=self._timescale)
        connection = await asyncpg.connect(dsn)
        await connection.execute("INSERT INTO models VALUES ($1, 'Elsys', 'ERS CO2', 900)", model_id)
        await connection.execute(
            "WITH tenant AS (INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'bench', 'Bench')"
            " RETURNING tenant_id)"
            " INSERT INTO devices (dev_eui, tenant_id, model_id)"
            " SELECT dev_eui, tenant_id, $2 FROM unnest($1::text[]) AS one (dev_eui), tenant",
            devices,
            model_id,
        )
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        """Give the dsn of a new database, after a checkpoint, so that each run begins with the same debts."""
        self._number += 1
        name = f"{self.template}_{self._number}"
        await self._administer(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        await self._administer("CHECKPOINT")
        try:
            yield self._dsn(name)
        finally:
            await self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    async def version(self) -> str:
        """Return what the server calls itself."""
        connection = await asyncpg.connect(self._server.dsn)
        said: str = await connection.fetchval("SELECT current_setting('server_version')")
        offered = await connection.fetchval(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        )
        await connection.close()
        return f"PostgreSQL {said}" + (f", TimescaleDB {offered}" if self._timescale else "")

    def _dsn(self, name: str) -> str:
        return self._server.dsn.replace("/postgres?", f"/{name}?")

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def postgres(folder: Path, pg_bin: Path | None) -> AsyncIterator[EmbeddedPostgres]:
    """Run a PostgreSQL as in production."""
    async with EmbeddedPostgres(folder / "postgres", pg_bin, PRODUCTION) as server:
        yield server


async def offers_timescale(server: EmbeddedPostgres) -> bool:
    """Say whether TimescaleDB can be installed on it."""
    connection = await asyncpg.connect(server.dsn)
    found = await connection.fetchval("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'")
    await connection.close()
    return bool(found)


@contextmanager
def working_folder() -> Iterator[Path]:
    """Give a directory that PostgreSQL's own user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="samara-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Process:
    """A child that speaks JSON lines: see `bench_child.py`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def hear(self) -> dict[str, Any]:
        """Return what it says next; raise RuntimeError, with its log, when it has ended."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            self.require_alive()
        said: dict[str, Any] = json.loads(line)
        return said

    def require_alive(self) -> None:
        """Raise RuntimeError, with its log, when it has ended."""
        if self._process.returncode is not None:
            raise RuntimeError(f"a child ended: {self._log.read_text(errors='replace')[-2000:]}")

    async def go(self) -> None:
        """Tell it to begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def child(folder: Path, role: str, options: Mapping[str, Any]) -> AsyncIterator[Process]:
    """Run a child and wait until it is ready; it ends with the context."""
    log = folder / f"{role}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            HERE / "bench_child.py",
            role,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(options).encode() + b"\n")
    started = Process(process, log)
    try:
        await started.hear()
        yield started
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


class Cpu:
    """CPU seconds since it was made, of each server by its name: of the process, and of all below it."""

    def __init__(self, **pids: Sequence[int]) -> None:
        self._pids = pids
        self._before = self._now()

    def seconds(self) -> dict[str, float]:
        """Return what each used."""
        now = self._now()
        return {
            name: sum(used - self._before[name].get(pid, 0.0) for pid, used in now[name].items()) for name in self._pids
        }

    def _now(self) -> dict[str, dict[int, float]]:
        return {name: dict(_used(pids)) for name, pids in self._pids.items()}


def _used(pids: Sequence[int]) -> list[tuple[int, float]]:
    found = []
    for pid in pids:
        above = psutil.Process(pid)
        for process in (above, *above.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            found.append((process.pid, times.user + times.system))
    return found


def peak_mb(pid: int) -> float:
    """Return the largest resident memory that a process has had, in 10^6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(f"process {pid} has no VmHWM")
