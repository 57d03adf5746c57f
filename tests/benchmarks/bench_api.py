"""How fast the API answers over a hundred million measurements: python tests/benchmarks/bench_api.py DIRECTORY

The database is made once and kept in DIRECTORY (12 GB): ten tenants of 95 sensors, temperature and humidity every ten
minutes for a year, by COPY in the order of time, with the roll-ups that maintenance makes. Loading goes on where it was
left; `--load-s` bounds how long it takes at it in one call. Then a year of one sensor is asked for a chart, points
taken by chance; then live streams are opened and told ten frames. `--measurements` and `--streams` make it smaller.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
import asyncpg
import numpy as np
import psutil

from deploy.embedded.postgres import EmbeddedPostgres
from store.maintenance.days import day_of
from store.maintenance.rollups import INSERT_DAYS, INSERT_HOURS
from store.migrate import migrate
from store.partitions import ensure_partitions, month_after, month_of
from store.rows import HEADER, TRAILER, microseconds

TESTS: Final = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from api_world import Sensor, speak  # noqa: E402 - where tests find it

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
DAYS: Final = 365
SLOTS: Final = 144  # of ten minutes, in a day
TENANTS: Final = 10
SETTINGS: Final = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}
LOADING: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}  # it can be loaded again

ROW: Final = np.dtype(
    [
        ("fields", ">i2"), ("l1", ">i4"), ("measured_at", ">i8"), ("l2", ">i4"), ("received_at", ">i8"),
        ("l3", ">i4"), ("value", ">f8"), ("l4", ">i4"), ("device_id", ">i4"), ("l5", ">i4"), ("quantity_id", ">i2"),
        ("l6", ">i4"), ("channel", ">i2"),
    ]
)  # fmt: skip


def day_of_rows(day: int, devices: int, quantities: tuple[int, int]) -> bytes:
    """Return one day of all sensors as binary COPY reads it, in the order of time."""
    rows = np.zeros((SLOTS, devices, 2), ROW)
    for name, value in {"fields": 6, "l1": 8, "l2": 8, "l3": 8, "l4": 4, "l5": 2, "l6": 2}.items():
        rows[name] = value
    ids = np.arange(1, devices + 1)
    slots = (day * SLOTS + np.arange(SLOTS)) * 600
    at = (slots[:, None] + ids % 600) * 1_000_000 + microseconds(START)
    rows["measured_at"] = rows["received_at"] = at[:, :, None]
    rows["device_id"] = ids[None, :, None]
    rows["quantity_id"] = quantities
    noise = np.random.default_rng(day).normal(0, 0.3, rows.shape)
    daily = 4 * np.sin(slots / 86_400 * 2 * np.pi) + 8 * np.sin(day / DAYS * 2 * np.pi)
    rows["value"] = 15 + daily[:, None, None] + noise
    return rows.tobytes()


async def declare(connection: asyncpg.Connection, devices: int) -> None:
    await connection.execute(
        "INSERT INTO tenants (kind, slug, name) SELECT 'commune', 'commune-' || n, 'Commune ' || n"
        " FROM generate_series(1, $1) AS n",
        TENANTS,
    )
    await connection.execute("INSERT INTO sites (tenant_id, name) SELECT tenant_id, 'Mairie' FROM tenants")
    each = devices // TENANTS
    await connection.execute(
        "INSERT INTO devices (dev_eui, tenant_id) SELECT lpad(to_hex(n), 16, '0'), (n - 1) / $2 + 1"
        " FROM generate_series(1, $1) AS n",
        devices,
        each,
    )
    await connection.execute(
        "INSERT INTO points (site_id, name) SELECT (n - 1) / $2 + 1, 'Point ' || n FROM generate_series(1, $1) AS n",
        devices,
        each,
    )
    await connection.execute(
        "INSERT INTO assignments (device_id, point_id, during) SELECT n, n, tstzrange(NULL, NULL)"
        " FROM generate_series(1, $1) AS n",
        devices,
    )
    await connection.execute("CREATE TABLE bench_done (step text PRIMARY KEY)")


class Loading:
    """Steps that are each done once: what was done is kept, and what is over time is left for another call."""

    def __init__(self, connection: asyncpg.Connection, within_s: float) -> None:
        self.connection = connection
        self.until = time.monotonic() + within_s
        self.done: set[str] = set()

    async def step(self, name: str, work: Callable[[], Awaitable[object]]) -> bool:
        if name in self.done:
            return True
        if time.monotonic() > self.until:
            return False
        async with self.connection.transaction():
            await work()
            await self.connection.execute("INSERT INTO bench_done VALUES ($1)", name)
        return True


async def load(connection: asyncpg.Connection, devices: int, within_s: float) -> int:
    """Load until all is there or the time is over; return how many tenants have their roll-ups."""
    if not await connection.fetchval("SELECT to_regclass('bench_done')::text"):
        await declare(connection, devices)
        await ensure_partitions(connection, "measurements", {month_after(month_of(START), n) for n in range(13)})
    loading = Loading(connection, within_s)
    loading.done = {row["step"] for row in await connection.fetch("SELECT step FROM bench_done")}
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    copy = partial(connection.copy_to_table, "measurements", format="binary", timeout=600)
    execute = partial(connection.execute, timeout=600)
    for day in range(DAYS):
        source = partial(_source, day, devices, (ids["temperature"], ids["humidity"]))
        if not await loading.step(f"day {day}", lambda source=source: copy(source=source())):
            return 0
    if not await loading.step("analyze", partial(execute, "ANALYZE")):
        return 0
    for tenant in range(TENANTS):  # the one that is asked is the first
        numbers = list(range(tenant * devices // TENANTS + 1, (tenant + 1) * devices // TENANTS + 1))
        hours = (numbers, [START] * len(numbers), [START + timedelta(days=DAYS)] * len(numbers))
        days = [(number, *day) for number in numbers for day in paris_days()]
        work = (
            ("hours", partial(execute, INSERT_HOURS, *hours)),
            ("days", partial(execute, INSERT_DAYS, *map(list, zip(*days, strict=True)))),
        )
        for name, step in work:
            if not await loading.step(f"{name} of {tenant}", step):
                return tenant
    return TENANTS


async def _source(day: int, devices: int, quantities: tuple[int, int]) -> AsyncIterator[bytes]:
    yield HEADER
    yield day_of_rows(day, devices, quantities)
    yield TRAILER


def paris_days() -> Iterator[tuple[datetime, datetime]]:
    at = START
    while at < START + timedelta(days=DAYS):
        day = day_of(at)
        yield day.start, day.end
        at = day.end


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def percentile(times_s: list[float], share: float) -> float:
    return sorted(times_s)[min(int(len(times_s) * share), len(times_s) - 1)]


SERVE: Final = """
import asyncio, os, sys
import uvloop
from datetime import UTC, datetime
import asyncpg
import api_world
from api.settings import ApiSettings
from deploy.embedded.postgres import role_password
from store.access.roles import ROLES, let_in

async def main(dsn):
    connection = await asyncpg.connect(dsn)
    for role in ROLES:
        await let_in(connection, role, role_password(dsn, role), os.urandom(16))
    cookie = await api_world.sign_in(connection, ("viewer", None), email=f"{datetime.now(UTC).timestamp()}@example.fr")
    await connection.close()
    async with api_world.serving(dsn, ApiSettings(), lambda: datetime(2026, 1, 2, tzinfo=UTC)) as address:
        print(address, cookie["samara"], flush=True)
        await asyncio.Event().wait()

uvloop.run(main(sys.argv[1]))
"""

QUERIES: Final = (
    "every=auto&max_points=2000&from=2025-01-01&to=2026-01-01",  # a year for a chart
    "every=auto&max_points=2000&from=2025-06-01&to=2025-09-01",  # a quarter
    "every=auto&max_points=2000&from=2025-06-02&to=2025-06-09",  # a week: as measured
    "every=day&from=2025-01-01&to=2026-01-01",
    "every=day&from=2025-01-01&to=2026-01-01&compare=year",
)


class Served(NamedTuple):
    """The API in a process of its own: its address, a session's secret, its process."""

    base: str
    secret: str
    process: psutil.Process
    postgres: int


@contextmanager
def serving(dsn: str, postgres: int) -> Iterator[Served]:
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, dsn], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        assert server.stdout is not None
        base, secret = server.stdout.readline().split()
        yield Served(base, secret, psutil.Process(server.pid), postgres)
    finally:
        server.terminate()
        server.wait()


def cpu_ms(served: Served) -> tuple[float, float]:
    """Return the CPU time so far of the API's process and of the sessions that serve it, milliseconds."""
    sessions = psutil.Process(served.postgres).children()
    spent = [process.cpu_times() for process in (served.process, *sessions)]
    api, *others = [(one.user + one.system) * 1000 for one in spent]
    return api, sum(others)


async def ask(served: Served, devices: int, count: int, width: int, query: str) -> dict[str, Any]:
    """Ask for the series of points taken by chance; return how long answers took and what they held."""
    chance, times_s, sizes, points = random.Random(1), [], [], []
    of_tenant = devices // TENANTS
    todo = [chance.randrange(1, of_tenant + 1) for _ in range(count)]

    async with aiohttp.ClientSession(served.base, cookies={"samara": served.secret}) as http:

        async def worker() -> None:
            while todo:
                path = f"/api/v1/points/{todo.pop()}/series?tenant=commune-1&quantity=temperature&{query}"
                began = time.perf_counter()
                async with http.get(path) as response:
                    body = await response.read()
                    assert response.status == 200, body
                times_s.append(time.perf_counter() - began)
                sizes.append(len(body))
                said = json.loads(body)
                points.append(len(said["items"]) * (1 if said["every"] == "raw" else 2))

        before = cpu_ms(served)
        await asyncio.gather(*(worker() for _ in range(width)))
        api_ms, postgres_ms = (after - then for after, then in zip(cpu_ms(served), before, strict=True))
    return {
        "query": query,
        "at once": width,
        "answers": len(times_s),
        "p50 ms": round(statistics.median(times_s) * 1000, 1),
        "p95 ms": round(percentile(times_s, 0.95) * 1000, 1),
        "max ms": round(max(times_s) * 1000, 1),
        "API CPU ms": round(api_ms / count, 1),
        "PostgreSQL CPU ms": round(postgres_ms / count, 1),
        "points": max(points, default=0),
        "kB": round(max(sizes) / 1000),
    }


async def measure(dsn: str, postgres: int, devices: int, count: int) -> None:
    """Series: each query one at a time, then four at once."""
    with serving(dsn, postgres) as served:
        for query in QUERIES:
            await ask(served, devices, 10, 1, query)
            for width in (1, 4):
                say(json.dumps(await ask(served, devices, count, width, query)))


async def measure_streams(dsn: str, postgres: int, count: int) -> None:
    """Open so many live streams of one tenant, then commit a frame, ten times: when does the last of them know?"""
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    await connection.execute("DELETE FROM latest_frames")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    await connection.execute("DELETE FROM measurements WHERE measured_at >= $1", at)
    with serving(dsn, postgres) as served:
        before_mb, cookies = served.process.memory_info().rss / 1e6, {"samara": served.secret}
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(served.base, connector=connector, cookies=cookies, timeout=timeout) as http:
            began, streams = time.perf_counter(), []
            for first in range(0, count, 100):
                size = min(100, count - first)
                streams += await asyncio.gather(*(http.get("/api/v1/live?tenant=commune-1") for _ in range(size)))
            await asyncio.gather(*(event(stream) for stream in streams))
            opened_s, delays_s = time.perf_counter() - began, []
            cpu = served.process.cpu_times()
            for number in range(10):
                began = time.perf_counter()
                told = asyncio.gather(*(event(stream) for stream in streams))
                await speak(connection, Sensor(1, 1), {"temperature": float(number)}, at + timedelta(minutes=number))
                await told
                delays_s.append(time.perf_counter() - began)
            spent = served.process.cpu_times()
            said = {
                "streams": len(streams),
                "opened s": round(opened_s, 1),
                "all told ms": round(statistics.median(delays_s) * 1000),
                "us each": round((spent.user + spent.system - cpu.user - cpu.system) / len(delays_s) / count * 1e6),
                "kB each": round((served.process.memory_info().rss / 1e6 - before_mb) / count * 1000),
            }
            say(json.dumps(said))
            for stream in streams:
                stream.close()
    await connection.close()


async def event(stream: aiohttp.ClientResponse) -> None:
    """Read one event; heartbeats are none."""
    held = False
    while line := await stream.content.readline():
        held = held or line.startswith(b"event:")
        if held and line == b"\n":
            return


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--measurements", type=int, default=100_000_000)
    parser.add_argument("--load-s", type=float, default=3600.0)
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--streams", type=int, default=5000)
    asked = parser.parse_args()
    devices = round(asked.measurements / (DAYS * SLOTS * 2) / TENANTS) * TENANTS
    pg_bin = os.environ.get("SAMARA_PG_BIN")
    asked.directory.mkdir(parents=True, exist_ok=True)
    asked.directory.chmod(0o755)
    async with EmbeddedPostgres(
        asked.directory / "postgres", Path(pg_bin) if pg_bin else None, SETTINGS | LOADING
    ) as server:
        await migrate(server.dsn, timescale=False)
        connection = await asyncpg.connect(server.dsn, server_settings={"timezone": "UTC", "jit": "off"})
        rolled_up = await load(connection, devices, asked.load_s)
        rows = await connection.fetchval(
            "SELECT sum(reltuples)::bigint FROM pg_class WHERE relname ~ '^measurements_2'"
        )
        size = await connection.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
        say(f"{devices} sensors, {rows:,} measurements (estimated), {size}; tenants rolled up: {rolled_up}")
        await connection.close()
        if rolled_up and asked.answers:
            await measure(server.dsn, server.pid, devices, asked.answers)
        if asked.streams:
            await measure_streams(server.dsn, server.pid, asked.streams)
    say(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    asyncio.run(main())
