"""Seven days shuffled, every message three times at two consumers: the tables do not depend on how uplinks came."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from faults.figures import Figures
from faults.processes import Mosquitto
from faults.territory import assert_kept, count, declare, load, publish, until, until_count
from simulators.broker import BrokerAddress
from simulators.load.generate import generate
from simulators.load.ledger import Obligation
from simulators.load.spec import Faults, RejoinStorm
from simulators.mqtt_publisher import Publisher
from store.maintenance.run import run_once

DAYS = 7

# TimescaleDB adds values up in the order in which they lie: the last bits of a sum follow it, and nothing else may.
ROLLED_UP = (
    "device_id, quantity_id, channel, samples, round(total::numeric, 6), low, high, first, first_at, last, last_at"
)

# What must be equal, without the numbers and times that depend on when a row was written.
TABLES = {
    "uplinks": "SELECT device_id, received_at, uplink_key, f_cnt, frequency_hz, bandwidth_hz, f_port, spreading_factor,"
    " confirmed, adr, dev_addr, outcome, detail, payload, object::text FROM uplinks",
    "receptions": "SELECT device_id, received_at, uplink_key, gateway_eui, rssi_dbm, snr_db, channel"
    " FROM receptions JOIN gateways USING (gateway_id)",
    "measurements": "SELECT device_id, quantity_id, channel, measured_at, received_at, value FROM measurements",
    "latest": "SELECT * FROM latest",
    "measurements_hourly": f"SELECT hour, {ROLLED_UP} FROM measurements_hourly",
    "measurements_daily": f"SELECT day, {ROLLED_UP} FROM measurements_daily",
    "radio_accounts": "SELECT * FROM radio_accounts",
    "network_events": "SELECT event_key, received_at, device_id, kind, data::text FROM network_events",
    "gateways": "SELECT gateway_eui FROM gateways",
}


@pytest.mark.parametrize("devices", [8, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("template", ["plain", "timescale"])
async def test_shuffled_as_sorted(
    request: pytest.FixtureRequest,
    two_databases: tuple[str, str],
    mosquitto: Mosquitto,
    ingest: Any,
    figures: Figures,
    template: str,
    devices: int,
) -> None:
    """Resets, roll-overs and rejoins are in it."""
    del request
    faults = Faults(f_cnt_reset=0.3, roll_over=0.3, rejoin_storms=(RejoinStorm(at_s=3 * 86_400, share=0.5),))
    spec = load(DAYS * 24 * devices, devices=devices, period_s=3600, faults=faults, seed=3)
    messages = [(one.topic, one.payload) for one in generate(spec)]
    uplinks = sum(one.entry is not None and one.entry.obligation is Obligation.STORED_ONCE for one in generate(spec))
    shuffled = random.Random(7).sample(messages, len(messages))
    for number, (dsn, order) in enumerate(zip(two_databases, (messages, shuffled), strict=True)):
        await declare(dsn, spec)
        service = await ingest(dsn, mosquitto, worker=f"worker-{number}").start()
        async with Publisher(BrokerAddress(port=mosquitto.port), client_id="order") as publisher:
            await publisher.publish_many(order)
            await publisher.drained()
        await until_count(dsn, uplinks)
        await until_count(dsn, len(messages) - uplinks, "network_events")
        await service.stop()
        await maintain(dsn)
    differences = {name: await different(two_databases, statement) for name, statement in TABLES.items()}
    rows = {name: await count(two_databases[0], name) for name in TABLES}
    figures.report(
        f"7 days shuffled, {template}, {uplinks} uplinks",
        differences=sum(differences.values()),
        rows=sum(rows.values()),
    )
    assert all(rows.values()), rows
    assert not any(differences.values()), differences


async def maintain(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        while (await run_once(connection, datetime.now(UTC) + timedelta(hours=2))).more:
            pass
    finally:
        await connection.close()


async def different(databases: tuple[str, str], statement: str) -> int:
    """Return how many rows are in one database only."""
    found = []
    for dsn in databases:
        connection = await asyncpg.connect(dsn)
        found.append({tuple(row) for row in await connection.fetch(statement)})
        await connection.close()
    return len(found[0] ^ found[1])


@pytest.mark.parametrize("uplinks", [2_000, pytest.param(50_000, marks=pytest.mark.slow)])
async def test_three_times_at_two_consumers(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, uplinks: int
) -> None:
    """Both hear every message, and every message is said three times: six ways to store it, and one row."""
    spec = load(uplinks)
    await declare(database, spec)
    services = [await ingest(database, mosquitto, worker=name).start() for name in ("one", "other")]
    for number in range(3):
        await publish(spec, mosquitto.port, tmp_path / "ledger", client_id=f"again-{number}")
    await until(lambda: _all_counted(database, 6 * spec.uplinks))
    kept = await assert_kept(database, tmp_path / "ledger")
    connection = await asyncpg.connect(database)
    outcomes = dict(await connection.fetch("SELECT outcome, sum(messages)::int FROM ingest_accounts GROUP BY 1"))
    deadlocks = await connection.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    await connection.close()
    down = [len(service.logged("store_down")) for service in services]
    figures.report(
        f"three times at two consumers, {spec.uplinks} uplinks", deadlocks=deadlocks, spooled=sum(down), **kept
    )
    assert outcomes == {"stored": spec.uplinks, "duplicate": 5 * spec.uplinks}
    assert down == [0, 0]
    for service in services:
        await service.stop()


async def _all_counted(dsn: str, messages: int) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        total = await connection.fetchval("SELECT coalesce(sum(messages), 0)::int FROM ingest_accounts")
    finally:
        await connection.close()
    return bool(total >= messages)
