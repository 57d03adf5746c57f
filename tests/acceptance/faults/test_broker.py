"""The broker is restarted, killed, or overrun by 5,000 publishers that come back at once."""

import asyncio
import os
import signal
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.embedded.broker import EmbeddedBroker
from faults.figures import Figures
from faults.processes import Mosquitto
from faults.proxy import Proxy
from faults.territory import Stopwatch, assert_kept, declare, gated, load, stored, until, until_count
from simulators import mqtt_packets
from simulators.load import ledger
from simulators.load.generate import Emission, generate
from simulators.load.ledger import LedgerWriter, dev_eui
from store.maintenance.run import run_once

RECONNECTED_WITHIN_S = 15.0
STEADY_WITHIN_S = 60.0
PUBLISHERS = 5_000


async def test_broker_restart(database: str, ingest: Any, tmp_path: Path, figures: Figures) -> None:
    """Mosquitto is stopped and started while a load is published: it keeps its queue, so nothing is lost."""
    spec, broker = load(5_000), Mosquitto(tmp_path / "mosquitto", saves=False)
    await broker.start()
    await declare(database, spec)
    service = await ingest(database, broker).start()
    async with gated(spec, broker.port, tmp_path / "ledger") as gate:
        for _ in range(2):
            gate.let(5)
            await asyncio.sleep(0.2)
            await asyncio.to_thread(broker.end, signal.SIGTERM)
            await until(lambda: _is_away(service))
            await broker.start()
            reconnecting = Stopwatch()
            await service.until_metric("samara_broker_connected", 1)
            reconnected_s = reconnecting.seconds
    await until_count(database, spec.uplinks)
    kept = await assert_kept(database, tmp_path / "ledger")
    await service.stop()
    broker.end()
    figures.report("broker restart", reconnected_s=reconnected_s, **kept)
    assert reconnected_s <= RECONNECTED_WITHIN_S


async def _is_away(service: Any) -> bool:
    return bool((await service.metrics())["samara_broker_connected"] == 0)


async def test_nats_kill(database: str, ingest: Any, tmp_path: Path, figures: Figures) -> None:
    """nats-server is killed and started while a load is published: it has on its disk what it acknowledged."""
    spec = load(3_000)
    await declare(database, spec)
    broker = EmbeddedBroker(tmp_path / "nats", sync_interval="always", ack_wait="1s", is_guarded=False)
    async with broker, Proxy(broker.port) as proxy:
        service = await ingest(database, proxy).start()
        async with gated(spec, proxy.port, tmp_path / "ledger") as gate:
            gate.let(5)
            await asyncio.sleep(0.2)
            os.kill(broker.pid, signal.SIGKILL)
            await broker.ended()
            await until(lambda: _is_away(service))
            await broker.__aexit__(None, None, None)
            await broker.__aenter__()
            proxy.server_port = broker.port
            reconnecting = Stopwatch()
            await service.until_metric("samara_broker_connected", 1)
            reconnected_s = reconnecting.seconds
        await until_count(database, spec.uplinks)
        kept = await assert_kept(database, tmp_path / "ledger")
        await service.stop()
    figures.report("broker kill -9, NATS", reconnected_s=reconnected_s, **kept)
    assert reconnected_s <= RECONNECTED_WITHIN_S


@pytest.mark.parametrize("saves", [False, pytest.param(True, marks=pytest.mark.slow)])
async def test_what_a_killed_broker_lost_is_seen_as_gaps(
    database: str, ingest: Any, tmp_path: Path, figures: Figures, *, saves: bool
) -> None:
    """Ingest stands still while the broker gathers messages, and dies with them: its own loss, after its own PUBACK."""
    spec, broker = load(256 * 12, devices=64), Mosquitto(tmp_path / "mosquitto", saves=saves)
    await broker.start()
    await declare(database, spec)
    service = await ingest(database, broker).start()
    async with gated(spec, broker.port, tmp_path / "ledger") as gate:
        gate.let(4)
        await until_count(database, 4 * 256)
        service.signal(signal.SIGSTOP)
        gate.let(4)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(broker.end, signal.SIGKILL)
        service.signal(signal.SIGCONT)
        await until(lambda: _is_away(service))
        await broker.start()
        await service.until_metric("samara_broker_connected", 1)
    last = {dev_eui(spec, number): spec.uplinks_per_device - 1 for number in range(spec.devices)}
    await until(lambda: _have_come(database, last))
    book, heard = ledger.read(tmp_path / "ledger"), Counter([one.dev_eui async for one in stored(database)])
    said = Counter(dev_eui(spec, int(device)) for device in book.records["device"])
    missing = {eui: said[eui] - heard[eui] for eui in said if said[eui] != heard[eui]}
    found = await _gaps(database)
    await service.stop()
    broker.end()
    figures.report(
        f"broker kill -9, {'saving every change' if saves else 'as Debian sets it'}",
        lost_by_broker=sum(missing.values()),
        found_as_gaps=sum(found.values()),
        stored_duplicates=sum(-count for count in missing.values() if count < 0),
    )
    assert found == missing
    assert saves or missing


async def _have_come(dsn: str, last: dict[str, int]) -> bool:
    newest: dict[str, int] = defaultdict(int)
    async for one in stored(dsn):
        newest[one.dev_eui] = max(newest[one.dev_eui], one.f_cnt)
    return newest == last


async def _gaps(dsn: str) -> dict[str, int]:
    """Return how many frames each device is known to have lost, once maintenance has been round."""
    connection = await asyncpg.connect(dsn)
    try:
        while (await run_once(connection, datetime.now(UTC) + timedelta(hours=2))).more:
            pass
        rows = await connection.fetch(
            "SELECT dev_eui, sum(lost)::int FROM radio_accounts JOIN devices USING (device_id) GROUP BY 1"
            " HAVING sum(lost) > 0"
        )
    finally:
        await connection.close()
    return dict(rows)


@pytest.mark.slow
async def test_publishers_come_back_at_once(database: str, ingest: Any, tmp_path: Path, figures: Figures) -> None:
    """5,000 connections publish; the broker dies; all of them come back at once and publish again."""
    spec, broker = load(2 * PUBLISHERS, devices=PUBLISHERS), Mosquitto(tmp_path / "mosquitto", saves=False)
    await broker.start()
    await declare(database, spec)
    emissions = list(generate(spec))
    with LedgerWriter(tmp_path / "ledger", spec) as writer:
        writer.append((one.entry for one in emissions if one.entry), int(time.time() * 1000))
    service = await ingest(database, broker).start()
    first, second = emissions[:PUBLISHERS], emissions[PUBLISHERS:]
    clients = await asyncio.gather(*[_say_once(broker.port, number, one) for number, one in enumerate(first)])
    await until_count(database, PUBLISHERS)
    await asyncio.to_thread(broker.end, signal.SIGKILL)
    for client in clients:
        client.transport.abort()
    await broker.start()
    coming_back = Stopwatch()
    reconnecting = asyncio.create_task(service.until_metric("samara_broker_connected", 1))
    await until(lambda: _is_there(service))
    clients = await asyncio.gather(*[_say_once(broker.port, number, one) for number, one in enumerate(second)])
    acknowledged_s = coming_back.seconds
    await reconnecting
    await until_count(database, spec.uplinks)
    steady_s = coming_back.seconds
    for client in clients:
        client.transport.abort()
    kept = await assert_kept(database, tmp_path / "ledger")
    peak_mb = service.peak_mb()
    await service.stop()
    broker.end()
    figures.report(
        "5,000 publishers reconnect", acknowledged_s=acknowledged_s, all_stored_s=steady_s, rss_peak_mb=peak_mb, **kept
    )
    assert steady_s <= STEADY_WITHIN_S


async def _is_there(service: Any) -> bool:
    return bool((await service.metrics())["samara_broker_connected"] == 1)


async def _say_once(port: int, number: int, emission: Emission) -> asyncio.StreamWriter:
    """Connect, publish one message, and return the connection once the broker has acknowledged it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_connect(number))
    assert (await reader.readexactly(4))[3] == 0
    writer.write(mqtt_packets.publish(emission.topic.encode(), emission.payload, 1))
    assert await reader.readexactly(4) == b"\x40\x02\x00\x01"
    return writer


def _connect(number: int) -> bytes:
    return mqtt_packets.connect(
        client_id=f"publisher-{number}", keepalive_s=60, clean_session=True, username="", password=""
    )
