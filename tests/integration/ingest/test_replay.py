"""The real capture, from the broker to the tables: every message stored once, however often it comes."""

from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
from ingest_support import declare, fleet_of, ingesting, read_lines, source, until

from decoders.registry import Registry
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.replay import replay

MESSAGES = 4431
UPLINKS, JOINS, STATUSES, LOGS = 4285, 43, 99, 4
RECEPTIONS = 4472  # 187 uplinks were heard by two gateways

ACCOUNTS = "SELECT kind, outcome, sum(messages)::bigint FROM ingest_accounts GROUP BY 1, 2"


async def accounts(connection: Any) -> dict[tuple[str, str], int]:
    return {(kind, outcome): count for kind, outcome, count in await connection.fetch(ACCOUNTS)}


async def test_capture_twice_is_stored_once(
    any_database: str,
    any_broker: Any,
    chirpstack_capture: Path,
    registry: Registry,
    tmp_path: Path,
) -> None:
    lines = read_lines(chirpstack_capture)
    await declare(any_database, fleet_of(lines, registry))
    address = BrokerAddress(host=any_broker.host, port=any_broker.port)
    connection = await asyncpg.connect(any_database)

    async def accounted(count: int) -> bool:
        return sum((await accounts(connection)).values()) == count

    async with ingesting(any_database, tmp_path, source(any_broker)) as ingest:
        for times in (1, 2):
            await replay([chirpstack_capture], address, clock=SystemClock(), client_id="replay")
            await until(lambda times=times: accounted(times * MESSAGES))
        assert not ingest.pipeline.is_full

    kinds = {"uplink": UPLINKS, "join": JOINS, "status": STATUSES, "log": LOGS}
    expected = {(kind, outcome): count for kind, count in kinds.items() for outcome in ("stored", "duplicate")}
    assert await accounts(connection) == expected
    assert await connection.fetchval("SELECT count(*) FROM uplinks") == UPLINKS
    assert await connection.fetchval("SELECT count(*) FROM receptions") == RECEPTIONS
    assert await connection.fetchval("SELECT count(*) FROM network_events") == JOINS + STATUSES + LOGS
    assert await connection.fetchval("SELECT count(*) FROM quarantine") == 0
    heard = "SELECT count(*), max(heard_at) = (SELECT max(received_at) FROM receptions) FROM gateways_heard"
    assert tuple(await connection.fetchrow(heard)) == (4, True)
    rows = await connection.fetch(
        "SELECT dev_eui, count(*) FROM uplinks JOIN devices USING (device_id) GROUP BY 1 ORDER BY 1"
    )
    sent = Counter(line.payload["deviceInfo"]["devEui"] for line in lines if "fCnt" in line.payload)
    assert [tuple(row) for row in rows] == sorted(sent.items())
    await connection.close()
