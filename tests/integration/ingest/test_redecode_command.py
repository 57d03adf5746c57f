"""`samara redecode` as an operator runs it, and as a power cut ends it."""

import asyncio
import os
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from ingest_support import declare, until

from store.partitions import ensure_partitions

MODEL, PORT = "elsys-ers", 5
DEVICES, EACH = 40, 500
EUIS = {f"{number:016x}": MODEL for number in range(1, DEVICES + 1)}
START = datetime(2026, 1, 20, tzinfo=UTC)
COLUMNS = ("received_at", "uplink_key", "ingested_at", "f_cnt", "device_id", "source_id", "f_port", "confirmed", "adr",
           "dev_addr", "outcome", "detail", "payload")  # fmt: skip


@pytest.fixture
async def connection(any_database: str) -> AsyncIterator[asyncpg.Connection]:
    """A database with uplinks that came before their model was known."""
    await declare(any_database, dict(EUIS))
    connection = await asyncpg.connect(any_database, server_settings={"timezone": "UTC"})
    await connection.execute("INSERT INTO sources (name) VALUES ('test')")
    await ensure_partitions(connection, "uplinks", [START.date(), (START + timedelta(days=20)).date()])
    rows = []
    for device_id in range(1, DEVICES + 1):
        for f_cnt in range(EACH):
            at = START + timedelta(minutes=30 * f_cnt, seconds=device_id)
            payload = struct.pack(">BhBB", 1, f_cnt, 2, 40)
            rows.append((at, f_cnt, at, f_cnt, device_id, 1, PORT, False, True, "", "no_decoder", "no model", payload))
    await connection.copy_records_to_table("uplinks", columns=COLUMNS, records=rows)
    yield connection
    await connection.close()


async def samara(dsn: str, *arguments: str) -> Process:
    environment = {"SAMARA_DATABASE__DSN": dsn, "PATH": os.environ.get("PATH", "")}
    program = (sys.executable, "-m", "deploy.cli", "redecode", *arguments)
    return await asyncio.create_subprocess_exec(*program, env=environment, stdout=PIPE, stderr=PIPE)


async def said(dsn: str, *arguments: str, code: int = 0) -> str:
    process = await samara(dsn, *arguments)
    out, err = await process.communicate()
    assert process.returncode == code, err.decode()
    return (out + err).decode()


async def test_an_operator_sees_first_and_applies_then(any_database: str, connection: asyncpg.Connection) -> None:
    span = ("--from", START.isoformat(), "--to", (START + timedelta(hours=2)).isoformat())
    seen = await said(any_database, "--device", "000000000000000A", *span)
    assert "no_decoder\tdecoded\t4\n" in seen
    assert "temperature\t0\t4\t4\t0\t0\n" in seen
    assert "000000000000000a\t2026-01-20T00:30:10+00:00\ttemperature\t0\t\t0.1\n" in seen
    assert "Nothing was changed" in seen
    assert not await connection.fetchval("SELECT count(*) FROM measurements")

    done = await said(any_database, "--device", "000000000000000A", *span, "--apply", "--why", "model declared late")

    assert "4 uplinks of 1 devices decoded again.\nRecord 1;" in done
    assert await connection.fetchval("SELECT count(*) FROM measurements WHERE device_id = 10") == 8
    listed = (await said(any_database, "--list")).splitlines()[1].split("\t")
    assert listed[3:5] == ["model declared late", "000000000000000a"]
    assert listed[7:13] == ["1/1", "4", "8", "0", "0", "0"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--apply", "--why", "x"), "--model or --device"),
        (("--model", MODEL, "--device", "00"), "--model or --device"),
        (("--model", MODEL, "--apply"), "--why"),
        (("--model", MODEL, "--from", "yesterday"), "--from yesterday"),
    ],
)
async def test_what_cannot_be_done_is_said(database: str, arguments: tuple[str, ...], complaint: str) -> None:
    assert complaint in await said(database, *arguments, code=2)


async def test_killed_it_is_taken_up_where_it_was(any_database: str, connection: asyncpg.Connection) -> None:
    arguments = ("--model", MODEL, "--apply", "--why", "model declared late")
    first = await samara(any_database, *arguments)

    async def has_begun() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM redecoded_devices WHERE uplinks > 0"))

    await until(has_begun)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    await until(lambda: _nobody_is_at_it(connection))
    done = await connection.fetchval("SELECT sum(uplinks) FROM redecoded_devices")
    assert 0 < done < DEVICES * EACH
    assert await connection.fetchval("SELECT count(*) FROM measurements") == 2 * done
    assert await connection.fetchval("SELECT count(*) FROM uplinks WHERE outcome = 'decoded'") == done

    second = await said(any_database, *arguments)

    assert f"{DEVICES * EACH - done} uplinks of {DEVICES} devices" in second
    assert "taken up where it had stopped" in second
    assert await connection.fetchval("SELECT count(*) FROM measurements") == 2 * DEVICES * EACH
    assert await connection.fetchval("SELECT sum(uplinks) FROM redecoded_devices") == DEVICES * EACH
    assert await connection.fetchval("SELECT count(*) FROM redecodings WHERE finished_at IS NOT NULL") == 1


async def _nobody_is_at_it(connection: asyncpg.Connection) -> bool:
    return not await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name = 'samara-redecode' AND datname = current_database()"
    )
