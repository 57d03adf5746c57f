"""What the tests of repair share: messages stored without a broker, and the tables told without their numbers."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from decoders.registry import Registry
from ingest import lns
from ingest.codecs import Codecs
from ingest.messages import Message, Origin
from ingest.runner import load_known
from ingest.writer import Writer
from store.known import Known
from store.maintenance.run import run_once

# Everything that uplinks leave behind, in names.
TABLES = {
    "uplinks": """
        SELECT dev_eui, received_at, uplink_key, f_cnt, frequency_hz, bandwidth_hz, sources.name, f_port,
               spreading_factor, data_rate, confirmed, adr, dev_addr, outcome, detail, payload, object
          FROM uplinks JOIN devices USING (device_id) JOIN sources USING (source_id)""",
    "receptions": """
        SELECT dev_eui, received_at, uplink_key, gateway_eui, rssi_dbm, snr_db, channel
          FROM receptions JOIN devices USING (device_id) JOIN gateways USING (gateway_id)""",
    "measurements": """
        SELECT dev_eui, quantities.name, channel, measured_at, received_at, value
          FROM measurements JOIN devices USING (device_id) JOIN quantities USING (quantity_id)""",
    "latest": """
        SELECT dev_eui, quantities.name, channel, measured_at, value
          FROM latest JOIN devices USING (device_id) JOIN quantities USING (quantity_id)""",
    "radio_accounts": """
        SELECT dev_eui, day, heard, lost, late, repeated, resets FROM radio_accounts JOIN devices USING (device_id)""",
    "hourly": """
        SELECT dev_eui, quantities.name, channel, hour, samples, round(total::numeric, 6), hourly.low,
               hourly.high, first, last
          FROM measurements_hourly AS hourly JOIN devices USING (device_id) JOIN quantities USING (quantity_id)""",
    "accounts": """
        SELECT day, sources.name, kind, outcome, sum(messages)::bigint
          FROM ingest_accounts JOIN sources USING (source_id) GROUP BY 1, 2, 3, 4""",
}


def clock() -> datetime:
    return datetime.now(UTC)


def week_of(messages_at: Iterable[datetime]) -> tuple[datetime, datetime]:
    times = list(messages_at)
    return min(times) - timedelta(days=1), max(times) + timedelta(days=1)


async def store_all(dsn: str, source: str, kind: str, messages: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Store messages as ingest does once it has received them."""
    known, registry = Known(), Registry.load()

    async def open_connection() -> asyncpg.Connection:
        return await asyncpg.connect(dsn)

    connection = await open_connection()
    writer = Writer(
        open_connection, known=known, servers=lns.load(), registry=registry, codecs=Codecs(), clock=clock, worker="test"
    )
    origin = Origin(source, kind, lambda _tokens: None)
    bodies = [(topic, json.dumps(payload).encode()) for topic, payload in messages]
    try:
        await load_known(connection, known, registry, [source])
        for at in range(0, len(bodies), 500):
            await writer.store(
                [Message(origin, 0, topic, body, len(body), clock()) for topic, body in bodies[at : at + 500]]
            )
    finally:
        writer.close()
        await connection.close()


async def tables(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return what is in the store, after maintenance, in an order of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        await run_once(connection, clock())
        found = {
            name: sorted((tuple(row) for row in await connection.fetch(statement)), key=repr)
            for name, statement in TABLES.items()
        }
    finally:
        await connection.close()
    assert all(found.values()), {name: len(rows) for name, rows in found.items()}
    return found


async def count(dsn: str, what: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {what}"))
    finally:
        await connection.close()
