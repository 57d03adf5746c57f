"""The runs of the benchmark on real processes. Each returns the figures of one run by their names."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import bench_naive
import bench_nodered
from bench_child import TOPIC, Sponge, receiver_of
from bench_codec import bind_codec
from bench_load import paced
from bench_servers import Broker, Cpu, Database, Process, child, mosquitto, peak_mb

from ingest.settings import MqttSource

Figures = dict[str, float]

_WARM_UP: Final = timedelta(seconds=2)
_STALLED_S: Final = 60.0
_POLL_S: Final = 0.1

# The first commit ends the time before which nothing was counted, so its own uplinks do not count either.
COMMITS: Final = """
WITH commits AS (
  SELECT pg_xact_commit_timestamp(xmin) AS at, count(*) AS uplinks FROM uplinks GROUP BY xmin
)
SELECT sum(uplinks)::bigint AS uplinks, count(*) AS transactions,
       extract(epoch FROM max(at) - min(at))::float8 AS seconds,
       (SELECT uplinks FROM commits ORDER BY at LIMIT 1) AS first,
       max(at) AS last_at
  FROM commits
"""

LATENCIES: Final = """
SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99])
       WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - received_at) * 1000)
  FROM uplinks WHERE received_at >= $1
"""

STORED: Final = """
SELECT coalesce(sum(messages), 0)::bigint FROM ingest_accounts WHERE outcome = 'stored'
"""

DECODED: Final = """
SELECT 100.0 * count(*) FILTER (WHERE outcome = 'decoded') / count(*) AS percent FROM uplinks
"""

WAL_SYNCS: Final = """
SELECT coalesce(sum(fsyncs), 0)::bigint, coalesce(sum(fsync_time), 0)::float8 FROM pg_stat_io WHERE object = 'wal'
"""

NAIVE_STORED: Final = """
SELECT count(*) / 5 AS uplinks,
       extract(epoch FROM max(pg_xact_commit_timestamp(xmin)) - min(pg_xact_commit_timestamp(xmin)))::float8 AS seconds
  FROM naive
"""


class Bench:
    """Where runs put their files, each in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def broker(self) -> AsyncIterator[tuple[Broker, Path]]:
        """Run a fresh broker in a fresh folder."""
        folder = self._folder / f"run-{next(self._numbers)}"
        folder.mkdir()
        async with mosquitto(folder) as broker:
            yield broker, folder

    async def generator_alone(self, uplinks: int) -> Figures:
        """Publish to a broker that nobody hears."""
        async with self.broker() as (broker, folder):
            return {"per_second": (await published(folder, broker, uplinks))["per_second"]}

    async def reader(self, uplinks: int, protocol: str) -> Figures:
        """Drain a backlog with the product's reader, which does nothing with it."""
        async with self.broker() as (broker, folder):
            options = listener(broker, protocol, "bench")
            await make_session(options)
            await published(folder, broker, uplinks)
            async with child(folder, "reader", options | {"count": uplinks}) as reader:
                cpu = Cpu(reader=[reader.pid], broker=[broker.pid])
                seconds = await finished(reader)
                used = cpu.seconds()
            return {
                "per_second": uplinks / seconds,
                "consumer_us": used["reader"] / uplinks * 1e6,
                "broker_us": used["broker"] / uplinks * 1e6,
            }

    async def passing(self, uplinks: int) -> Figures:
        """Publish as fast as can be while the product's reader hears: what the broker passes live."""
        async with self.broker() as (broker, folder):
            options = listener(broker, "5", "bench") | {"count": uplinks}
            async with child(folder, "reader", options) as reader:
                await reader.go()
                await reader.hear()
                await published(folder, broker, uplinks)
                seconds = (await reader.hear())["seconds"]
            return {"per_second": uplinks / seconds}

    async def naive(self, database: Database, uplinks: int) -> Figures:
        """Drain a backlog with the naive pipeline."""
        async with self.broker() as (broker, folder), database.fresh() as dsn:
            options = listener(broker, "3.1.1", "bench")
            await make_session(options)
            await published(folder, broker, uplinks)
            async with child(folder, "naive", options | {"dsn": dsn, "count": uplinks}) as naive:
                cpu = Cpu(naive=[naive.pid], postgres=[database.pid], broker=[broker.pid])
                await naive.go()
                seconds = (await naive.hear())["seconds"]
                used = cpu.seconds()
            return {"per_second": uplinks / seconds} | per_uplink(used, uplinks, consumer="naive")

    async def node_red(self, database: Database, uplinks: int, started: Path) -> Figures:
        """Drain a backlog with Node-RED."""
        async with self.broker() as (broker, folder), database.fresh() as dsn:
            options = listener(broker, "3.1.1", "bench")
            await make_session(options)
            await published(folder, broker, uplinks)
            await fetch(dsn, bench_naive.CREATE)
            async with bench_nodered.node_red(started, folder, dsn, options | {"topic": TOPIC}) as server:
                while not (before := await fetch(dsn, NAIVE_STORED))["uplinks"]:
                    server.require_alive()
                    await asyncio.sleep(_POLL_S)
                cpu = Cpu(node_red=[server.pid], postgres=[database.pid], broker=[broker.pid])
                while (found := await fetch(dsn, NAIVE_STORED))["uplinks"] < uplinks:
                    server.require_alive()
                    await asyncio.sleep(_POLL_S)
                used = per_uplink(cpu.seconds(), uplinks - before["uplinks"], consumer="node_red")
            return {"per_second": uplinks / found["seconds"]} | used

    async def drain(
        self, database: Database, uplinks: int, protocol: str, workers: int = 1, scripted: Sequence[str] = ()
    ) -> Figures:
        """Store a backlog, by one process or by several that share it.

        `scripted` are the DevEUIs that a JavaScript codec decodes.
        """
        async with self.broker() as (broker, folder), database.fresh() as dsn, AsyncExitStack() as stack:
            options = listener(broker, protocol, "bench", "bench" if workers > 1 else "")
            await bind_codec(dsn, scripted)
            names = [f"worker-{number}" for number in range(workers)]
            for name in names:
                await make_session(options | ({"client_id": f"bench-{name}"} if workers > 1 else {}))
            await published(folder, broker, uplinks)
            ingest = [await stack.enter_async_context(ingesting(folder, dsn, options, name)) for name in names]
            pids = [one.pid for one in ingest]
            cpu = Cpu(ingest=pids, postgres=[database.pid], broker=[broker.pid])
            for one in ingest:
                await one.go()
            await until_stored(dsn, uplinks, ingest)
            used = cpu.seconds()
            commits = await fetch(dsn, COMMITS)
            decoded = {"decoded": float((await fetch(dsn, DECODED))["percent"])} if scripted else {}
            return (
                decoded
                | {
                    "per_second": float((commits["uplinks"] - commits["first"]) / commits["seconds"]),
                    "seconds": commits["seconds"],
                    "batch": float(commits["uplinks"] / commits["transactions"]),
                    "peak_mb": max(peak_mb(pid) for pid in pids),
                    "broker_mb": peak_mb(broker.pid),
                }
                | per_uplink(used, uplinks, consumer="ingest")
            )

    async def live(self, database: Database, rate: int, seconds: int, scripted: Sequence[str] = ()) -> Figures:
        """Store what arrives at a pace, and take the time from each message's own to its commit."""
        async with self.broker() as (broker, folder), database.fresh() as dsn, AsyncExitStack() as stack:
            await bind_codec(dsn, scripted)
            hearing = listener(broker, "5", "bench")
            ingest = await stack.enter_async_context(ingesting(folder, dsn, hearing, "worker"))
            await ingest.go()
            await ingest.hear()
            load = {"host": broker.host, "port": broker.port, "folder": str(folder)} | paced(rate, seconds)
            generator = await stack.enter_async_context(child(folder, "generate", load))
            syncs = await fetch(dsn, WAL_SYNCS)
            cpu = Cpu(ingest=[ingest.pid], postgres=[database.pid], broker=[broker.pid], generator=[generator.pid])
            await generator.go()
            report = await generator.hear()
            behind = report["uplinks"] - (await fetch(dsn, STORED))[0]
            await until_stored(dsn, report["uplinks"], [ingest])
            used, peak = cpu.seconds(), peak_mb(ingest.pid)
            start_at = datetime.fromisoformat(report["start_at"])
            commits, synced = await fetch(dsn, COMMITS), await fetch(dsn, WAL_SYNCS)
            p50, p95, p99 = (await fetch(dsn, LATENCIES, start_at + _WARM_UP))[0]
            decoded = {"decoded": float((await fetch(dsn, DECODED))["percent"])} if scripted else {}
        return (
            decoded
            | {
                "rate": rate,
                "per_second": report["uplinks"] / (commits["last_at"] - start_at).total_seconds(),
                "p50_ms": p50,
                "p95_ms": p95,
                "p99_ms": p99,
                "fsync_ms": (synced[1] - syncs[1]) / max(1, synced[0] - syncs[0]),
                "late_p99_ms": report["late_p99_ms"],
                "valid": float(report["valid"]),
                "behind": behind,
                "batch": float(commits["uplinks"] / commits["transactions"]),
                "peak_mb": peak,
                "generator_us": used["generator"] / report["uplinks"] * 1e6,
            }
            | per_uplink(used, report["uplinks"], consumer="ingest")
        )


def kept_up(live: Figures) -> bool:
    """Say whether a live run held its pace: the generator was on time, and nothing piled up."""
    return bool(live["valid"]) and live["p99_ms"] < 1000 and live["per_second"] > 0.97 * live["rate"]


def per_uplink(used: dict[str, float], uplinks: int, *, consumer: str) -> Figures:
    """Return microseconds of CPU for each uplink."""
    return {
        "consumer_us": used[consumer] / uplinks * 1e6,
        "postgres_us": used["postgres"] / uplinks * 1e6,
        "broker_us": used["broker"] / uplinks * 1e6,
    }


def listener(broker: Broker, protocol: str, client_id: str, shared_group: str = "") -> dict[str, Any]:
    """Return what a child needs to hear the broker."""
    return {
        "host": broker.host,
        "port": broker.port,
        "protocol": protocol,
        "client_id": client_id,
        "shared_group": shared_group,
    }


@asynccontextmanager
async def ingesting(folder: Path, dsn: str, options: dict[str, Any], worker: str) -> AsyncIterator[Process]:
    """Run an ingest process, ready and not begun; of those that share, each adds its name to the client's."""
    options = options | {"dsn": dsn, "folder": str(folder), "worker": worker}
    async with child(folder, "ingest", options) as process:
        yield process


async def published(folder: Path, broker: Broker, uplinks: int) -> dict[str, Any]:
    """Publish a backlog, and return the generator's report once all is acknowledged."""
    load = {"host": broker.host, "port": broker.port, "folder": str(folder), "uplinks": uplinks}
    async with child(folder, "generate", load) as generator:
        await generator.go()
        return await generator.hear()


async def finished(reader: Process) -> float:
    """Let a reader begin, and return its seconds."""
    await reader.go()
    await reader.hear()
    seconds: float = (await reader.hear())["seconds"]
    return seconds


async def make_session(options: dict[str, Any]) -> None:
    """Subscribe as this client and leave: the broker keeps its session, and what comes for it."""
    receiver = receiver_of(MqttSource(name="bench", topics=(TOPIC,), **options), Sponge(-1, _never))
    task = asyncio.create_task(receiver.run())
    while not receiver.is_subscribed:  # noqa: ASYNC110 - a benchmark may look
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _never(_seconds: float) -> None:
    raise AssertionError("nothing was published yet")


async def until_stored(dsn: str, uplinks: int, ingest: Sequence[Process]) -> None:
    """Return once all is stored; raise RuntimeError when nothing moves any more."""
    connection = await asyncpg.connect(dsn)
    loop = asyncio.get_running_loop()
    stored, moved_at = -1, loop.time()
    try:
        while stored < uplinks:
            for one in ingest:
                one.require_alive()
            before, stored = stored, await connection.fetchval(STORED)
            if stored > before:
                moved_at = loop.time()
            elif loop.time() - moved_at > _STALLED_S:
                raise RuntimeError(f"{stored} of {uplinks} stored, and no more for {_STALLED_S:g} s")
            await asyncio.sleep(_POLL_S)
    finally:
        await connection.close()


async def fetch(dsn: str, query: str, *arguments: Any) -> Sequence[Any]:
    """Return one row."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchrow(query, *arguments) or ()
    finally:
        await connection.close()
