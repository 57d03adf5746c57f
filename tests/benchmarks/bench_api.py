"""How fast the API answers over a hundred million measurements: python tests/benchmarks/bench_api.py DIRECTORY

The database is made once and kept in DIRECTORY (12 GB): ten tenants of 95 sensors, temperature and humidity every ten
minutes for a year, by COPY in the order of time, with the roll-ups that maintenance makes. Loading goes on where it was
left; `--load-s` bounds how long it takes at it in one call. Then a year of one sensor is asked for a chart, points
taken by chance. `--measurements` makes it smaller.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import asyncpg
import numpy as np

from api.access import digest
from deploy.dsns import let_roles_in
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from store.access.accounts import account_by_email, add_account, grant
from store.access.keys import add_key
from store.access.roles import ROLES
from store.maintenance.days import day_of
from store.maintenance.rollups import INSERT_DAYS, INSERT_HOURS
from store.migrate import migrate
from store.partitions import ensure_partitions, month_after, month_of
from store.rows import HEADER, TRAILER, microseconds

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


async def load(connection: asyncpg.Connection, devices: int, within_s: float) -> bool:
    """Load until all is there or the time is over; return whether all is there."""
    if not await connection.fetchval("SELECT to_regclass('bench_done')::text"):
        await declare(connection, devices)
        await ensure_partitions(connection, "measurements", {month_after(month_of(START), n) for n in range(13)})
    loading = Loading(connection, within_s)
    loading.done = {row["step"] for row in await connection.fetch("SELECT step FROM bench_done")}
    numbers = list(range(1, devices + 1))
    ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
    copy = partial(connection.copy_to_table, "measurements", format="binary", timeout=600)
    execute = partial(connection.execute, timeout=600)
    for day in range(DAYS):
        source = partial(_source, day, devices, (ids["temperature"], ids["humidity"]))
        if not await loading.step(f"day {day}", lambda source=source: copy(source=source())):
            return False
    for week in range(0, DAYS + 7, 7):
        start, end = START + timedelta(days=week), START + timedelta(days=week + 7)
        work = partial(execute, INSERT_HOURS, numbers, [start] * devices, [end] * devices)
        if not await loading.step(f"hours {week}", work):
            return False
    for day, (start, end) in enumerate(paris_days()):
        work = partial(execute, INSERT_DAYS, numbers, [start] * devices, [end] * devices)
        if not await loading.step(f"days {day}", work):
            return False
    if "analyze" not in loading.done:
        await execute("VACUUM ANALYZE")
        await loading.step("analyze", partial(connection.execute, "SELECT 1"))
    return True


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


async def ask(base: str, key: str, devices: int, count: int, width: int, query: str) -> dict[str, Any]:
    """Ask for the series of points taken by chance; return how long answers took and what they held."""
    chance, times_s, sizes, points = random.Random(1), [], [], []
    of_tenant = devices // TENANTS
    todo = [chance.randrange(1, of_tenant + 1) for _ in range(count)]

    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {key}"}) as http:

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

        await asyncio.gather(*(worker() for _ in range(width)))
    return {
        "query": query,
        "at once": width,
        "answers": len(times_s),
        "p50 ms": round(statistics.median(times_s) * 1000, 1),
        "p95 ms": round(percentile(times_s, 0.95) * 1000, 1),
        "max ms": round(max(times_s) * 1000, 1),
        "points": max(points),
        "kB": round(max(sizes) / 1000),
    }


SERVE: Final = """
import asyncio, sys
import uvloop
from datetime import UTC, datetime
from aiohttp import web
from prometheus_client import CollectorRegistry
from api.app import create_app
from api.settings import ApiSettings
from deploy.embedded.postgres import role_dsn
from store.access.sealing import Keyring, new_key
from store.pool import SEEN_FIRST, open_pool

async def main(dsn):
    pool = await open_pool(role_dsn(dsn, "samara_api"), size=6, application="bench", search_path=SEEN_FIRST)
    accounts = await open_pool(role_dsn(dsn, "samara_accounts"), size=2, application="bench")
    app = create_app(pool=pool, accounts=accounts, keyring=Keyring.parse(new_key("bench")), settings=ApiSettings(),
                     clock=lambda: datetime(2026, 1, 2, tzinfo=UTC), registry=CollectorRegistry())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}")
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


async def make_key(connection: asyncpg.Connection) -> str:
    """Return a new key of an account that sees every tenant."""
    email, secret = "bench@example.fr", f"smr_{secrets.token_urlsafe(32)}"
    account_id = await add_account(connection, email) or await account_by_email(connection, email)
    await grant(connection, account_id, "viewer", None, with_descendants=True)
    until = datetime.now(UTC) + timedelta(days=1)
    of_key = {"name": "bench", "hint": secret[:8], "permissions": ("health", "read"), "tenant_id": None}
    await add_key(connection, digest(secret), account_id, expires_at=until, **of_key)
    return secret


async def measure(dsn: str, key: str, devices: int, count: int) -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVE, dsn], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    try:
        assert server.stdout is not None
        base = server.stdout.readline().strip()
        for query in QUERIES:
            await ask(base, key, devices, 10, 1, query)
            for width in (1, 4):
                say(json.dumps(await ask(base, key, devices, count, width, query)))
    finally:
        server.terminate()
        server.wait()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--measurements", type=int, default=100_000_000)
    parser.add_argument("--load-s", type=float, default=3600.0)
    parser.add_argument("--answers", type=int, default=300)
    asked = parser.parse_args()
    devices = round(asked.measurements / (DAYS * SLOTS * 2) / TENANTS) * TENANTS
    pg_bin = os.environ.get("SAMARA_PG_BIN")
    asked.directory.mkdir(parents=True, exist_ok=True)
    asked.directory.chmod(0o755)
    async with EmbeddedPostgres(
        asked.directory / "postgres", Path(pg_bin) if pg_bin else None, SETTINGS | LOADING
    ) as server:
        await migrate(server.dsn, timescale=False)
        await let_roles_in(server.dsn, {role: role_password(server.dsn, role) for role in ROLES})
        connection = await asyncpg.connect(server.dsn, server_settings={"timezone": "UTC", "jit": "off"})
        complete = await load(connection, devices, asked.load_s)
        rows = await connection.fetchval(
            "SELECT sum(reltuples)::bigint FROM pg_class WHERE relname ~ '^measurements_2'"
        )
        size = await connection.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
        say(f"{devices} sensors, {rows:,} measurements (estimated), {size}; loaded: {complete}")
        key = await make_key(connection)
        await connection.close()
        if complete:
            await measure(server.dsn, key, devices, asked.answers)
    say(f"peak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    asyncio.run(main())
