"""From the air to the table: each day's account adds up, for each tenant, with losses that were made on purpose."""

import json
from datetime import timedelta
from pathlib import Path

import asyncpg
from ingest_support import declare, fleet_of, ingesting, read_lines

from decoders.registry import Registry
from store.maintenance.run import run_once
from store.reading.accounts import day_accounts

LATER = timedelta(hours=3)


async def test_every_day_adds_up(
    any_database: str, chirpstack_capture: Path, registry: Registry, tmp_path: Path
) -> None:
    lines = read_lines(chirpstack_capture)
    fleet = fleet_of(lines, registry)
    of_one = [line for line in lines if line.payload["deviceInfo"]["devEui"] == "7894e80000054e0f"][:200]
    f_cnts = [line.payload["fCnt"] for line in of_one if "fCnt" in line.payload]
    dropped = {f_cnts[50], f_cnts[51], f_cnts[120]}
    sent = [line for line in of_one if line.payload.get("fCnt") not in dropped]
    await declare(any_database, fleet)

    async with ingesting(any_database, tmp_path) as ingest:
        for line in (*sent, *sent[:7]):
            await ingest.pipeline.deliver("lns", "chirpstack", line.topic, json.dumps(line.payload).encode())
        await ingest.pipeline.deliver("lns", "chirpstack", "application/1/device/2/event/up", b"not JSON")
        await ingest.pipeline.deliver("lns", "chirpstack", "application/1/device/2/event/integration", b"{}")
    connection = await asyncpg.connect(any_database)
    first, last = await connection.fetchrow("SELECT min(received_at), max(received_at) FROM uplinks")
    whole = await _lost(connection, f_cnts, dropped)
    await run_once(connection, last + LATER)
    days = await day_accounts(connection, first.date(), last.date())

    for day in days:
        assert day.received == day.stored + day.duplicate + day.quarantined + day.ignored
        assert day.uplinks == day.heard + day.repeated
    assert sum(day.received for day in days) == len(sent) + 7
    assert sum(day.duplicate for day in days) == 7
    assert sum(day.heard for day in days) == len(f_cnts) - len(dropped)
    assert sum(day.lost_by_radio for day in days) == whole
    of_nobody = "SELECT outcome, messages FROM ingest_accounts WHERE kind = 'message' ORDER BY outcome"
    assert [tuple(row) for row in await connection.fetch(of_nobody)] == [("ignored", 1), ("quarantined", 1)]
    await connection.close()


async def _lost(connection: asyncpg.Connection, f_cnts: list[int], dropped: set[int]) -> int:
    """Return how many frames of the capture's run are missing, ours and those that the radio itself lost."""
    assert f_cnts == sorted(f_cnts), "the first 200 messages of this device are one session"
    assert await connection.fetchval("SELECT count(*) FROM uplinks") == len(f_cnts) - len(dropped)
    return f_cnts[-1] - f_cnts[0] + 1 - (len(f_cnts) - len(dropped))
