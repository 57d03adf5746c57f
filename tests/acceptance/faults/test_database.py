"""The database goes away, becomes slow, fills its disk, or is being migrated, while uplinks come in."""

import asyncio
import os
import pwd
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.embedded.postgres import EmbeddedPostgres
from faults.figures import Figures
from faults.processes import Mosquitto, small_disk
from faults.proxy import Passing, Proxy, Verdict, postgres_messages
from faults.territory import (
    Stopwatch,
    assert_kept,
    count,
    declare,
    judged,
    load,
    port_of,
    publish,
    through,
    until_count,
)
from simulators.load.spec import at_rate
from store.migrate import migrate, patiently

OTHER_DEVICES = 0x025A_2000_0000_0000
MAX_GROWTH_MB = 64
MAX_PAUSE_S = 2.0
RECOVERED_WITHIN_S = 60


@asynccontextmanager
async def stoppable(directory: Path, pg_bin: Path | None) -> AsyncIterator[tuple[EmbeddedPostgres, Proxy]]:
    """A PostgreSQL that keeps every promise of durability, and an address of it that survives its restarts."""
    server = EmbeddedPostgres(directory / f"pg-{secrets.token_hex(3)}", pg_bin, {"shared_buffers": "64MB"})
    async with server, Proxy(server.port, postgres_messages) as proxy:
        await migrate(server.dsn, timescale=False)
        yield server, proxy


async def restart(server: EmbeddedPostgres, proxy: Proxy) -> None:
    await server.__aenter__()
    proxy.server_port = server.port


@pytest.mark.parametrize("uplinks", [6_000, pytest.param(120_000, marks=pytest.mark.slow)])
async def test_database_down(
    service_directory: Path,
    pg_bin: Path | None,
    mosquitto: Mosquitto,
    ingest: Any,
    tmp_path: Path,
    figures: Figures,
    uplinks: int,
) -> None:
    before, during = load(3_000, name="before"), load(uplinks, first_dev_eui=OTHER_DEVICES, name="during", devices=1000)
    live = at_rate(
        200, 3, start_at=datetime.now(UTC), devices=100, first_dev_eui=2 * OTHER_DEVICES, name="live",
        models=before.models,
    )  # fmt: skip
    books = [tmp_path / one.name for one in (before, during, live)]
    async with stoppable(service_directory, pg_bin) as (server, proxy):
        for spec in (before, during, live):
            await declare(server.dsn, spec)
        service = await ingest(through(server.dsn, proxy.port), mosquitto).start()
        await publish(before, mosquitto.port, books[0])
        await until_count(server.dsn, before.uplinks)
        at_rest_mb = service.forget_peak()
        await server.__aexit__(None, None, None)
        await publish(during, mosquitto.port, books[1])
        await service.until_metric("samara_spooled_total", during.uplinks)
        spooled_mb = (await service.metrics())["samara_spool_bytes"] / 1e6
        drain = Stopwatch()
        await restart(server, proxy)
        await service.until_metric("samara_store_up", 1)  # until then, what is live goes to the spool's end
        publishing = asyncio.create_task(publish(live, mosquitto.port, books[2], client_id="live"))
        await until_count(server.dsn, before.uplinks + during.uplinks, within_s=300)
        drain_s = drain.seconds
        await publishing
        await until_count(server.dsn, before.uplinks + during.uplinks + live.uplinks)
        growth_mb = service.peak_mb() - at_rest_mb
        kept = await assert_kept(server.dsn, *books)
        latency_s = (await judged(server.dsn, books[2]))[0].verdict.latency_p99_s
        await service.stop()
    figures.report(
        f"database down, {during.uplinks} uplinks",
        drain_s=drain_s,
        spooled_mb=spooled_mb,
        rss_growth_mb=growth_mb,
        live_p99_s=latency_s,
        **kept,
    )
    assert growth_mb <= MAX_GROWTH_MB


@pytest.mark.parametrize(("statement_s", "uplinks"), [(0.25, 300), pytest.param(5.0, 2_000, marks=pytest.mark.slow)])
async def test_database_slow(
    database: str,
    mosquitto: Mosquitto,
    ingest: Any,
    tmp_path: Path,
    figures: Figures,
    statement_s: float,
    uplinks: int,
) -> None:
    """Each statement takes so long that no batch is stored in time: everything goes through the spool."""
    warm, spec, bound = load(200, name="warm"), load(uplinks, first_dev_eui=OTHER_DEVICES), 100
    books = [tmp_path / "warm", tmp_path / "slow"]

    async def slowly(passing: Passing) -> Verdict:
        if passing.is_statement:
            await asyncio.sleep(statement_s)
        return Verdict.PASS

    held: list[float] = []
    await declare(database, warm)
    await declare(database, spec)
    async with Proxy(port_of(database), postgres_messages) as proxy:
        bounds = {"spool_after_s": 2 * statement_s, "max_unacknowledged": bound, "max_batch": 50}
        service = await ingest(through(database, proxy.port), mosquitto, **bounds).start()
        await publish(warm, mosquitto.port, books[0])
        await until_count(database, warm.uplinks)
        proxy.watch, accepted, expected = slowly, proxy.accepted, warm.uplinks + spec.uplinks
        publishing = asyncio.create_task(publish(spec, mosquitto.port, books[1]))
        while (now := await service.metrics())["samara_received_total"] < expected or now["samara_held_messages"]:
            held.append(now["samara_held_messages"])
            await asyncio.sleep(statement_s / 10)
        await publishing
        stored_slowly, first = await count(database), Stopwatch()
        await until_count(database, stored_slowly + 1, within_s=60 * statement_s)
        drained_in_s = first.seconds
        await until_count(database, stored_slowly + 51, within_s=60 * statement_s)
        connections, proxy.watch = proxy.accepted - accepted, None
        await until_count(database, expected, within_s=60)
        kept = await assert_kept(database, *books)
        await service.stop()
    figures.report(
        f"database slow, {statement_s:g} s a statement",
        most_held=max(held),
        bound=bound,
        connections=connections,
        next_drained_s=drained_in_s,
        **kept,
    )
    one_reading = 256 * 1024 // 1000  # what the socket brings at once, beyond the bound: messages of 1 kB and more
    assert max(held) <= bound + one_reading
    assert connections <= 4


async def test_database_disk_full(
    service_directory: Path, pg_bin: Path | None, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """The disk of the tables is full: the spool takes over, and gives back once there is room."""
    spec = load(6_000)
    owner = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
    disk_path = service_directory / f"disk-{secrets.token_hex(3)}"
    with small_disk(disk_path, 40, owner) as disk:
        async with stoppable(service_directory, pg_bin) as (server, _):
            admin = await asyncpg.connect(server.dsn)
            await admin.execute(f"CREATE TABLESPACE small LOCATION '{disk_path}'")
            await admin.execute("CREATE DATABASE on_small TABLESPACE small")
            await admin.close()
            dsn = server.dsn.replace("/postgres?", "/on_small?")
            await migrate(dsn, timescale=False)
            await declare(dsn, spec)
            service = await ingest(dsn, mosquitto).start()
            disk.fill()
            await publish(spec, mosquitto.port, tmp_path / "ledger")
            await service.until_metric("samara_spooled_total", 1)
            await service.until_metric("samara_received_total", spec.uplinks)
            alerted = service.logged("store_down")
            stored_full, recovery = await count(dsn), Stopwatch()
            disk.make_room()
            await until_count(dsn, spec.uplinks)
            recovery_s = recovery.seconds
            kept = await assert_kept(dsn, tmp_path / "ledger")
            await service.stop()
    figures.report("database disk full", recovery_s=recovery_s, stored_while_full=stored_full, **kept)
    assert alerted
    assert recovery_s <= RECOVERED_WITHIN_S


async def test_migration_while_ingesting(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Columns are added while uplinks come in; a session that holds a table makes the migration wait and try again."""
    spec = at_rate(500, 5, start_at=datetime.now(UTC), devices=250, models=("dragino-lse01", "dragino-dds75-lb"))
    await declare(database, spec)
    service = await ingest(database, mosquitto).start()
    publishing = asyncio.create_task(publish(spec, mosquitto.port, tmp_path / "ledger"))
    await until_count(database, 500)
    holder, altering = await asyncpg.connect(database), await asyncpg.connect(database)
    holding = holder.transaction()
    await holding.start()
    await holder.execute("LOCK TABLE uplinks IN ACCESS SHARE MODE")  # a report, or a backup, that takes its time
    longest = asyncio.create_task(longest_pause(database, publishing))

    async def alter() -> None:
        for table in ("uplinks", "receptions", "measurements", "latest_frames", "ingest_accounts"):
            await altering.execute(f"ALTER TABLE {table} ADD COLUMN added integer")

    migrating = asyncio.create_task(patiently(altering, alter))
    await asyncio.sleep(3)
    assert not migrating.done()
    await holding.rollback()
    attempts = await migrating
    await publishing
    await until_count(database, spec.uplinks)
    pause_s = await longest
    kept = await assert_kept(database, tmp_path / "ledger")
    assert service.logged("store_down") == []
    await asyncio.gather(holder.close(), altering.close(), service.stop())
    figures.report("migration while ingesting", pause_s=pause_s, attempts=attempts, **kept)
    assert attempts > 1
    assert pause_s <= MAX_PAUSE_S


async def longest_pause(dsn: str, publishing: asyncio.Task[int]) -> float:
    """Return the longest time in which nothing more was stored, until everything is published."""
    connection = await asyncpg.connect(dsn)
    stored, at, longest_s = 0, time.monotonic(), 0.0
    while not publishing.done():
        newest = await connection.fetchval("SELECT coalesce(sum(messages), 0) FROM ingest_accounts")
        now = time.monotonic()
        if newest > stored:
            stored, longest_s, at = newest, max(longest_s, now - at), now
        await asyncio.sleep(0.01)
    await connection.close()
    return longest_s
