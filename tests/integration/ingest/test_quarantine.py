"""What is set aside can be listed, and replayed once its cause is mended; the accounts add up all along."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from ingest_support import Line, declare, ingesting, read_lines

from ingest.replaying import replay
from store.quarantine import one_quarantined, quarantined

ACCOUNTS = """
SELECT kind, outcome, sum(messages)::bigint AS messages FROM ingest_accounts
 GROUP BY 1, 2 HAVING sum(messages) <> 0 ORDER BY 1, 2
"""


def now() -> datetime:
    return datetime.now(UTC)


def first_uplink(capture: Path) -> Line:
    return next(line for line in read_lines(capture) if line.payload.get("object", {}).get("temperature"))


async def accounts(connection: Any) -> list[tuple[str, str, int]]:
    return [tuple(record) for record in await connection.fetch(ACCOUNTS)]


async def test_unknown_device_is_replayed_once_declared(
    database: str, chirpstack_capture: Path, tmp_path: Path
) -> None:
    topic, payload = first_uplink(chirpstack_capture)
    connection = await asyncpg.connect(database)
    async with ingesting(database, tmp_path) as ingest:
        for _ in range(2):
            await ingest.pipeline.deliver("lns", "chirpstack", topic, json.dumps(payload).encode())
    waiting = await quarantined(connection, reason="unknown_device")
    assert [(one.dev_eui, one.times) for one in waiting] == [(payload["deviceInfo"]["devEui"], 2)]
    assert await accounts(connection) == [("uplink", "quarantined", 2)]

    [again] = [one async for one in replay(database, waiting, clock=now)]
    assert again.written is not None
    assert again.written.quarantined == 1
    assert await accounts(connection) == [("uplink", "quarantined", 2)]
    assert len(await quarantined(connection)) == 1

    await declare(database, {payload["deviceInfo"]["devEui"]: "multitech-rbs301-temp"})
    [done] = [one async for one in replay(database, waiting, clock=now)]
    assert done.written is not None
    assert done.written.stored == 1
    assert await quarantined(connection) == []
    assert await accounts(connection) == [("uplink", "quarantined", 1), ("uplink", "stored", 1)]
    assert await connection.fetchval("SELECT count(*) FROM measurements") > 0
    await connection.close()


async def test_implausible_reading_is_replayed_once_its_range_is_mended(
    database: str, chirpstack_capture: Path, tmp_path: Path
) -> None:
    topic, payload = first_uplink(chirpstack_capture)
    await declare(database, {payload["deviceInfo"]["devEui"]: "multitech-rbs301-temp"})
    connection = await asyncpg.connect(database)
    await connection.execute("UPDATE quantities SET high = -50 WHERE name = 'temperature'")
    async with ingesting(database, tmp_path) as ingest:
        await ingest.pipeline.deliver("lns", "chirpstack", topic, json.dumps(payload).encode())
    [waiting] = await quarantined(connection)
    assert (waiting.reason, waiting.kind) == ("implausible", None)
    assert await connection.fetchval("SELECT count(*) FROM uplinks") == 1
    assert await connection.fetchval("SELECT count(*) FROM measurements") == 0

    await connection.execute("UPDATE quantities SET high = 100 WHERE name = 'temperature'")
    async for _ in replay(database, [waiting], clock=now):
        pass
    assert await connection.fetchval("SELECT count(*) FROM measurements") == 1
    assert await accounts(connection) == [("uplink", "stored", 1)]
    assert (await one_quarantined(connection, waiting.quarantine_id)).replayed_at is not None
    await connection.close()
