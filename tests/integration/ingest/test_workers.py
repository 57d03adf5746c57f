"""`samara serve ingest --workers 2`: the broker divides, each message is stored once, a killed worker comes back."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from ingest_support import declare, fleet_of, read_lines, until

from decoders.registry import Registry
from deploy.embedded.process import free_port
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.replay import replay

MESSAGES = 4431

SETTINGS = """
data_dir = "{data}"
worker = "pair"

[database]
dsn = "{dsn}"

[api]
port = {port}

[[ingest.mqtt]]
name = "chirpstack"
host = "{broker.host}"
port = {broker.port}
protocol = "5"
client_id = "workers"
shared_group = "samara"
topics = ["application/+/device/+/event/+"]
"""


async def subscribed(ports: list[int]) -> bool:
    async with aiohttp.ClientSession() as session:
        for port in ports:
            try:
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    if 'samara_broker_connected{source="chirpstack"} 1.0' not in await answer.text():
                        return False
            except aiohttp.ClientError:
                return False
    return True


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_workers_divide_and_come_back(
    database: str, mosquitto_broker: Any, chirpstack_capture: Path, registry: Registry, tmp_path: Path
) -> None:
    await declare(database, fleet_of(read_lines(chirpstack_capture), registry))
    port = free_port()
    settings = tmp_path / "samara.toml"
    settings.write_text(SETTINGS.format(data=tmp_path, dsn=database, port=port, broker=mosquitto_broker))
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.cli", "--config", str(settings), "serve", "ingest", "--workers", "2"
    )
    connection = await asyncpg.connect(database)

    async def accounted(count: int) -> bool:
        return await connection.fetchval("SELECT coalesce(sum(messages), 0) FROM ingest_accounts") == count

    try:
        await until(lambda: subscribed([port + 1, port + 2]))
        address = BrokerAddress(host=mosquitto_broker.host, port=mosquitto_broker.port)
        await replay([chirpstack_capture], address, clock=SystemClock(), client_id="replay-workers")
        await until(lambda: accounted(MESSAGES))
        rows = await connection.fetch("SELECT worker, sum(messages)::int FROM ingest_accounts GROUP BY 1")
        shares = Counter(dict(tuple(row) for row in rows))
        assert sorted(shares) == ["pair-1", "pair-2"]
        assert min(shares.values()) > MESSAGES / 10

        os.kill(children_of(parent.pid)[0], signal.SIGKILL)
        await until(lambda: subscribed([port + 1, port + 2]))
    finally:
        parent.terminate()
        assert await asyncio.wait_for(parent.wait(), 15) == 0
    await connection.close()
