"""A load of simulated devices, published with a ledger, and what must be found in the database of it."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.load import ledger
from simulators.load.judge import StoredUplink, Verdict, judge, told
from simulators.load.ledger import dev_eui
from simulators.load.run import run
from simulators.load.spec import LoadSpec
from simulators.mqtt_publisher import Publisher

MODELS = ("dragino-lse01", "dragino-dds75-lb", "makerfabs-soil-moisture")

DECLARE = """
WITH tenant AS (
  INSERT INTO tenants (kind, slug, name) VALUES ('commune', $3, $3)
  ON CONFLICT (slug) DO UPDATE SET name = $3 RETURNING tenant_id
), model AS (
  INSERT INTO models (model_id, vendor, name) SELECT one, one, one FROM unnest($2::text[]) AS one
  ON CONFLICT DO NOTHING
)
INSERT INTO devices (dev_eui, tenant_id, model_id)
SELECT dev_eui, tenant_id, model FROM tenant, unnest($1::text[], $4::text[]) AS one (dev_eui, model)
"""

STORED = """
SELECT dev_eui, dev_addr, f_cnt, u.received_at, payload, coalesce(readings, 0) AS readings, u.ingested_at
  FROM uplinks AS u JOIN devices USING (device_id)
  LEFT JOIN (SELECT device_id, received_at, count(*) AS readings FROM measurements GROUP BY 1, 2) AS m
         ON m.device_id = u.device_id AND m.received_at = u.received_at
"""

KEYS = """
SELECT count(*), count(DISTINCT (device_id, received_at, uplink_key)) FROM uplinks
"""

_ASK_AGAIN_S = 0.02


def load(uplinks: int, *, devices: int = 200, **others: Any) -> LoadSpec:
    """Return a load of about so many uplinks that ends a little before now, published as fast as can be."""
    per_device = max(1, round(uplinks / devices))
    period_s = others.pop("period_s", 60.0)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=per_device * period_s + 60)
    values = {"speed": None, "models": MODELS, "start_at": start, "period_s": period_s}
    return LoadSpec(devices=devices, uplinks_per_device=per_device, **values | others)


async def declare(dsn: str, spec: LoadSpec) -> None:
    """Declare the devices of a load."""
    connection = await asyncpg.connect(dsn)
    try:
        numbers = range(spec.devices)
        await connection.execute(
            DECLARE,
            [dev_eui(spec, number) for number in numbers],
            list(spec.models),
            spec.name,
            [spec.models[number % len(spec.models)] for number in numbers],
        )
    finally:
        await connection.close()


async def publish(spec: LoadSpec, port: int, book: Path, *, client_id: str = "faults", window: int = 1000) -> int:
    """Publish a load, every message of it acknowledged by the broker when this returns; return how many."""
    jitter = random.Random(1).random
    address = BrokerAddress(port=port)
    async with Publisher(address, client_id=client_id, window=window, jitter=jitter) as publisher:
        report = await run(spec, [publisher], book, clock=SystemClock())
    return report.messages


async def stored(dsn: str) -> AsyncIterator[StoredUplink]:
    connection = await asyncpg.connect(dsn)
    try:
        for record in await connection.fetch(STORED):
            yield StoredUplink(*record)
    finally:
        await connection.close()


class Judged(NamedTuple):
    """A verdict, and the rows of the store that share a key, which a unique index should make impossible."""

    verdict: Verdict
    same_key: int


async def judged(dsn: str, *books: Path, late_after_s: float | None = None) -> list[Judged]:
    """Compare each ledger with what is stored; `late` counts what took longer from its publication."""
    rows = [one async for one in stored(dsn)]
    connection = await asyncpg.connect(dsn)
    try:
        total, different = await connection.fetchrow(KEYS)
    finally:
        await connection.close()
    verdicts = [judge(ledger.read(book), rows, late_after_s=late_after_s) for book in books]
    return [Judged(verdict, total - different) for verdict in verdicts]


async def assert_kept(dsn: str, *books: Path) -> dict[str, int]:
    """Assert that nothing acknowledged was lost, nothing stored twice, nothing altered; return the two figures."""
    for verdict, same_key in await judged(dsn, *books):
        assert not verdict.broken, told(verdict)
        assert verdict.expected > 0
        assert same_key == 0
    return {"acknowledged_lost": 0, "stored_duplicates": 0}


async def count(dsn: str, relation: str = "uplinks") -> int:
    connection = await asyncpg.connect(dsn)
    try:
        number: int = await connection.fetchval(f"SELECT count(*) FROM {relation}")
        return number
    finally:
        await connection.close()


def port_of(dsn: str) -> int:
    port = urlsplit(dsn).port
    assert port is not None
    return port


def through(dsn: str, port: int) -> str:
    """Return the same address at another port of this machine: a proxy's."""
    parts = urlsplit(dsn)
    user, _, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    """Ask again and again until the condition holds: what is waited for happens in other processes."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(_ASK_AGAIN_S)


async def until_count(dsn: str, rows: int, relation: str = "uplinks", within_s: float = 60) -> None:
    """Wait until the relation has so many rows; fail when none has come for `within_s`.

    Counting is left little of the machine: many rows would else be counted all the time.
    """
    found, grew = -1, Stopwatch()
    while True:
        asked, before = Stopwatch(), found
        found = await count(dsn, relation)
        if found >= rows:
            return
        if found > before:
            grew = Stopwatch()
        assert grew.seconds < within_s, f"{relation}: {found} of {rows} rows, and no more for {within_s:g} s"
        await asyncio.sleep(max(_ASK_AGAIN_S, 4 * asked.seconds))


class Gate:
    """A sink that lets batches of a load through (256 messages, in `run`) as they are asked for."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._tickets = asyncio.Semaphore(0)
        self._wide = False

    def let(self, batches: int) -> None:
        """Let so many more batches through."""
        for _ in range(batches):
            self._tickets.release()

    def open(self) -> None:
        """Let everything through from now on."""
        self._wide = True
        self._tickets.release()

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> int:
        if not self._wide:
            await self._tickets.acquire()
        return await self._publisher.publish_many(messages)

    async def drained(self) -> None:
        await self._publisher.drained()


@asynccontextmanager
async def gated(spec: LoadSpec, port: int, book: Path) -> AsyncIterator[Gate]:
    """Publish a load through a gate, which is opened in the end; all of it is acknowledged by the broker then."""
    address = BrokerAddress(port=port)
    async with Publisher(address, client_id="gated", window=5000, jitter=random.Random(1).random) as publisher:
        gate = Gate(publisher)
        running = asyncio.create_task(run(spec, [gate], book, clock=SystemClock()))
        try:
            yield gate
            gate.open()
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
