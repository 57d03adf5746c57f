"""The database is killed under load, and made again from base backup and archived WAL, judged by the ledger."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from faults.figures import Figures
from faults.postgres import Machine, Server
from faults.processes import Mosquitto
from faults.proxy import Proxy
from faults.territory import Stopwatch, assert_kept, count, declare, gated, load, publish, through, until, until_count
from store.migrate import migrate

OTHERS = 0x025A_2000_0000_0000


async def archiving(machine: Machine, primary: Server) -> tuple[Server, Path, Path]:
    """Start a migrated server that archives its WAL; return it, and where backups and WAL go."""
    backups = machine.folder(f"backups-{primary.data.name}")
    archive = backups / "wal"
    machine.script("/usr/bin/install", "-d", "-m", "700", archive)
    command = f'{machine.directory}/archive-wal "%p" "%f" {archive}'
    await primary.initialise().start(archive_mode="on", archive_timeout="60", archive_command=command)
    await migrate(primary.dsn, timescale=False)
    return primary, backups, archive


async def test_restored_to_a_moment_and_to_the_last_commit(
    machine: Machine, servers: Any, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Three restores of one disaster: to a moment, from the archive alone, and with the WAL that the disk still had."""
    before, during = load(1_000, name="before"), load(3_000, name="during", first_dev_eui=OTHERS)
    books = [tmp_path / "before", tmp_path / "during"]
    primary, backups, archive = await archiving(machine, servers())
    for spec in (before, during):
        await declare(primary.dsn, spec)
    async with Proxy(primary.port) as proxy:
        service = await ingest(through(primary.dsn, proxy.port), mosquitto, spool_after_s=2).start()
        backing_up = asyncio.create_task(asyncio.to_thread(machine.script, "base-backup", primary.dsn, backups, 2))
        await publish(before, mosquitto.port, books[0])
        base = await backing_up
        await until_count(primary.dsn, before.uplinks)
        moment = await primary.fetch("SELECT clock_timestamp()::text")
        async with gated(during, mosquitto.port, books[1]) as gate:
            gate.let(2)
            await until_count(primary.dsn, before.uplinks + 300)
            segment = await primary.fetch("SELECT pg_walfile_name(pg_switch_wal())")
            await until(lambda: _is_there(archive / str(segment)))
            gate.let(6)
            await until_count(primary.dsn, before.uplinks + 1_000)
            committed = await count(primary.dsn)
            await primary.end(signal.SIGQUIT)
            gone = Stopwatch()

            surviving = primary.data / "pg_wal"
            machine.script("restore", base, archive, machine.directory / "last", SURVIVING_WAL=str(surviving))
            last = await servers("last").start()
            recovery_s = gone.seconds
            proxy.server_port = last.port
            kept_by_disk = await count(last.dsn)
            gate.open()
        await until_count(last.dsn, before.uplinks + during.uplinks)
        kept = await assert_kept(last.dsn, *books)
        await service.stop()

    (Path(base) / "PG_VERSION").write_text("1\n")
    with pytest.raises(AssertionError, match="PG_VERSION: "):
        machine.script("restore", base, archive, machine.directory / "changed")
    (Path(base) / "PG_VERSION").write_bytes((primary.data / "PG_VERSION").read_bytes())
    machine.script("restore", base, archive, machine.directory / "moment", moment)
    as_of = await servers("moment").start()
    machine.script("restore", base, archive, machine.directory / "archived")
    archived = await servers("archived").start()
    rows_as_of, rows_archived = await count(as_of.dsn), await count(archived.dsn)
    figures.report(
        "PostgreSQL killed -m immediate, restored",
        rto_s=recovery_s,
        rpo_rows_with_its_disk=committed - min(committed, kept_by_disk),
        rpo_rows_from_the_archive_alone=committed - rows_archived,
        **kept,
    )
    assert kept_by_disk >= committed
    assert rows_as_of == before.uplinks
    assert before.uplinks + 300 <= rows_archived < committed
    await assert_kept(as_of.dsn, books[0])


async def _is_there(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


def test_the_archive_takes_a_file_once(machine: Machine) -> None:
    archive, source = machine.folder("archive"), machine.directory / "segment"
    source.write_bytes(b"one")
    machine.script("archive-wal", source, "000000010000000000000001", archive)
    machine.script("archive-wal", source, "000000010000000000000001", archive)
    source.write_bytes(b"two")
    with pytest.raises(AssertionError, match="is another"):
        machine.script("archive-wal", source, "000000010000000000000001", archive)
    assert (archive / "000000010000000000000001").read_bytes() == b"one"


async def test_a_synchronous_replica_is_promoted_amid_a_load(
    servers: Any, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """The primary dies for good; the replica takes over; two workers find it by themselves, by a DSN of two hosts."""
    spec = load(5_000)
    primary, replica = servers().initialise(), servers()
    await primary.start()
    await migrate(primary.dsn, timescale=False)
    await declare(primary.dsn, spec)
    replica.copy_of(primary)
    await replica.start()
    await primary.fetch("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await primary.fetch("SELECT pg_reload_conf()")
    both = (
        primary.dsn.replace(primary.address, f"{primary.address},{replica.address}")
        + "&target_session_attrs=read-write"
    )
    shared = {"protocol": "5", "shared_group": "samara", "client_id": "shared"}
    workers = [ingest(both, mosquitto, worker=name, source=shared, spool_after_s=60) for name in ("one", "other")]
    await asyncio.gather(*[worker.start() for worker in workers])
    async with gated(spec, mosquitto.port, tmp_path / "ledger") as gate:
        gate.let(8)
        await until_count(primary.dsn, 1_000)
        committed = await count(primary.dsn)
        gate.let(4)
        await primary.end(signal.SIGKILL)
        dead = Stopwatch()
        replica.promote()
        await replica.until_ready(writable=True)
        promoted_s = dead.seconds
        found = await count(replica.dsn)
        await until_count(replica.dsn, found + 1)
        pause_s = dead.seconds
        gate.open()
    await until_count(replica.dsn, spec.uplinks)
    kept = await assert_kept(replica.dsn, tmp_path / "ledger")
    await asyncio.gather(*[worker.stop() for worker in workers])
    figures.report("replica promoted amid a load", promoted_s=promoted_s, pause_s=pause_s, **kept)
    assert found >= committed


async def test_every_role_is_restarted_under_load(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Two workers, one after the other, as an upgrade does it: nothing waits for longer than one takes to stop."""
    spec = load(5_000)
    await declare(database, spec)
    shared = {"protocol": "5", "shared_group": "samara", "client_id": "shared"}
    workers = [ingest(database, mosquitto, worker=name, source=shared) for name in ("one", "other")]
    await asyncio.gather(*[worker.start() for worker in workers])
    async with gated(spec, mosquitto.port, tmp_path / "ledger") as gate:
        for worker in workers:
            gate.let(6)
            await until_count(database, 500)
            await worker.stop()
            gate.let(4)
            await worker.start()
        gate.open()
    await until_count(database, spec.uplinks)
    kept = await assert_kept(database, tmp_path / "ledger")
    connection = await asyncpg.connect(database)
    duplicates = await connection.fetchval(
        "SELECT coalesce(sum(messages), 0) FROM ingest_accounts WHERE outcome = 'duplicate'"
    )
    await connection.close()
    await asyncio.gather(*[worker.stop() for worker in workers])
    figures.report("rolling restart", sent_again=duplicates, **kept)


async def test_the_version_before_works_on_a_newer_schema(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path
) -> None:
    """A migration of the next version has added to the tables; this one is started on them, and stores."""
    spec = load(500)
    await declare(database, spec)
    connection = await asyncpg.connect(database)
    for table in ("uplinks", "receptions", "measurements", "latest_frames", "ingest_accounts", "devices"):
        await connection.execute(f"ALTER TABLE {table} ADD COLUMN added integer")
    await connection.execute("CREATE TABLE added (number integer PRIMARY KEY)")
    await connection.execute("INSERT INTO schema_migrations (number, name) VALUES (9999, '9999_added.sql')")
    await connection.close()
    service = await ingest(database, mosquitto).start()
    await publish(spec, mosquitto.port, tmp_path / "ledger")
    await until_count(database, spec.uplinks)
    await assert_kept(database, tmp_path / "ledger")
    assert service.logged("the schema is newer than this program, which works with it")
    await service.stop()
