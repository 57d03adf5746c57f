"""`samara serve`: what it takes is stored once, whatever is killed when."""

import asyncio
import gzip
import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import asyncpg
import pytest
from acceptance_support import command, sign_in

from deploy import demo_territory
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.process import free_port
from deploy.inventory import Listed
from simulators.demo.scenario import Scenario, history
from store.fleet import TenantDeclaration, declare_tenant
from store.reading.stats import stats as counts

STOP_WITHIN_S = 5
SECRET = "a secret of the tests"
SCENARIO = Scenario(story=datetime(2026, 3, 31, tzinfo=UTC), memory=timedelta(days=4))


class Recording(NamedTuple):
    """A file to replay, the devices in it, and how many messages and distinct uplinks it holds."""

    file: Path
    devices: list[Listed]
    messages: int
    uplinks: int


@pytest.fixture
def simulated(tmp_path: Path) -> Recording:
    start = datetime(2026, 3, 28, 18, tzinfo=UTC)  # over the change to summer time
    messages = list(history(SCENARIO, start, start + timedelta(hours=18)))
    file = tmp_path / "simulated.ndjson.gz"
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=1) as out:
        for topic, payload in messages:
            out.write(f'{{"topic": {json.dumps(topic)}, "payload": {payload.decode()}}}\n')
    uplinks = sum(topic.endswith("/up") for topic, _ in messages)
    return Recording(file, demo_territory.simulated(SCENARIO), len(messages), uplinks)


@pytest.fixture
def captured(lns_data: Path) -> Recording:
    file = lns_data / "chirpstack_v4.ndjson.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    # Joins and statuses are on the topic of uplinks too; only an uplink has a frame counter.
    payloads = [record["payload"] for record in records if "fCnt" in record["payload"]]
    keys = {(one["deviceInfo"]["devEui"], one["deduplicationId"], one["fCnt"]) for one in payloads}
    return Recording(file, demo_territory.captured([file]), len(records), len(keys))


@pytest.fixture(params=[pytest.param("simulated", marks=pytest.mark.slow), "captured"])
def recording(request: pytest.FixtureRequest) -> Recording:
    found: Recording = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def broker(tmp_path: Path) -> Any:
    async with EmbeddedBroker(tmp_path / "broker", sync_interval="1s", ack_wait="1s", is_guarded=False) as running:
        yield running


def settings_for(dsn: str, broker: Any = None, **more: str) -> dict[str, str]:
    chosen = {"DATABASE__DSN": dsn, "WORKER": "tests"} | more
    if broker is not None:
        source = {"name": "cs", "host": broker.host, "port": broker.port, "client_id": "acceptance"}
        chosen["INGEST__MQTT"] = json.dumps([source])
    return chosen


async def declare(dsn: str, directory: Path, settings: dict[str, str], devices: list[Listed]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for tenant in sorted({device.tenant for device in devices}):
            await declare_tenant(connection, TenantDeclaration(tenant, tenant, "commune"))
    finally:
        await connection.close()
    rows = [{"dev_eui": one.dev_eui, "tenant": one.tenant, "model": one.model} for one in devices]
    command(directory, settings, "devices", "import", "-", stdin="\n".join(map(json.dumps, rows)))


def stats(directory: Path, settings: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command(directory, settings, "stats", "--json"))
    return found


async def until_stored(dsn: str, uplinks: int, messages: int) -> None:
    """Wait until so many uplinks are stored, and so many messages accounted for, with redeliveries.

    What a killed process held comes again later than what follows it, so neither number alone says "all".
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(60):
            while not await is_stored(connection, uplinks, messages):  # noqa: ASYNC110 - the database is what knows
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def is_stored(connection: asyncpg.Connection, uplinks: int, messages: int) -> bool:
    found = await counts(connection)
    return found.rows["uplinks"] >= uplinks and sum(one.received for one in found.messages) >= messages


async def metric(session: aiohttp.ClientSession, address: str, name: str) -> float:
    async with session.get(f"{address}metrics") as answer:
        for line in (await answer.text()).splitlines():
            if line.startswith((f"{name} ", f"{name}{{")):
                return float(line.rpartition(" ")[2])
    return 0.0


async def until_metric(address: str, name: str, least: float) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):
        while True:
            if await metric(session, address, name) >= least:
                return
            await asyncio.sleep(0.002)


async def test_a_recording_replayed_twice_among_kills_is_stored_once(
    serve: Any, tmp_path: Path, any_database: str, broker: Any, recording: Recording
) -> None:
    settings = settings_for(any_database, broker)
    await declare(any_database, tmp_path, settings, recording.devices)
    service = serve(settings, "ingest")
    await service.until_logged("broker_connected")
    url = f"mqtt://{broker.host}:{broker.port}"
    replaying = asyncio.create_task(
        asyncio.to_thread(command, tmp_path, settings, "replay", recording.file, recording.file, "--broker", url)
    )
    for _ in range(2):
        address = (await service.until_logged("started"))["address"]
        await until_metric(address, "samara_batch_messages_count", 2)
        await service.end(signal.SIGKILL)
        service = serve(settings, "ingest")
    assert f"{2 * recording.messages} acknowledged" in await replaying
    await until_stored(any_database, recording.uplinks, 2 * recording.messages)
    found = stats(tmp_path, settings)
    assert found["rows"]["uplinks"] == recording.uplinks
    assert found["messages"]["uplink"]["stored"] == recording.uplinks
    for one in found["messages"].values():
        assert one["received"] == one["stored"] + one["duplicate"] + one["quarantined"] + one["ignored"]
        assert one["duplicate"] >= one["stored"]
    assert found["quarantine"] == {}
    assert await service.end(signal.SIGTERM) < STOP_WITHIN_S
    assert service.process.returncode == 0


async def test_one_process_receives_by_http_stores_and_shows(serve: Any, tmp_path: Path, database: str) -> None:
    source = {"name": "pushed", "lns": "chirpstack", "secret": SECRET}
    settings = settings_for(database, INGEST__HTTP=json.dumps([source]), API__SECOND_FACTOR_FOR="[]")
    await declare(database, tmp_path, settings, [Listed(1, "025a4d0000000001", "amiens")])
    service = serve(settings)
    address = (await service.until_logged("started"))["address"]
    end = datetime(2026, 3, 31, tzinfo=UTC)
    body = next(
        payload for topic, payload in history(SCENARIO, end - timedelta(days=1), end) if "025a4d0000000001" in topic
    )
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        for _ in range(2):
            async with session.post(f"{address}ingest/pushed?event=up", data=body, headers=headers) as answer:
                assert answer.status == 204
        async with session.get(f"{address}readyz") as answer:
            assert answer.status == 200
        async with session.get(f"{address}t/amiens") as answer:
            assert answer.url.path == "/connexion"
        await sign_in(session, address, tmp_path, settings)
        async with session.get(f"{address}t/amiens") as answer:
            assert answer.status == 200
            assert answer.url.path == "/t/amiens"
        assert await metric(session, address, "samara_duplicates_total") == 1
    assert stats(tmp_path, settings)["rows"]["uplinks"] == 1
    assert await service.end(signal.SIGINT) < STOP_WITHIN_S
    assert service.process.returncode == 0


async def test_ingest_alone_has_health_metrics_and_its_own_door(serve: Any, database: str) -> None:
    source = {"name": "pushed", "lns": "chirpstack", "secret": SECRET}
    service = serve(settings_for(database, INGEST__HTTP=json.dumps([source])), "ingest")
    address = (await service.until_logged("started"))["address"]
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address}healthz") as answer:
            assert await answer.json() == {"status": "ok"}
        async with session.post(f"{address}ingest/pushed", data=b"{}") as answer:
            assert answer.status == 401
        async with session.get(address) as answer:
            assert answer.status == 404


async def test_it_waits_for_a_database_and_can_be_stopped_meanwhile(serve: Any) -> None:
    service = serve(settings_for("postgresql://nobody@127.0.0.1:9/none"), "api")
    await service.until_logged("the database does not answer; waiting for it")
    assert await service.end(signal.SIGTERM) < STOP_WITHIN_S
    assert service.process.returncode == 0


async def test_ingest_takes_what_is_pushed_before_the_database_answers(serve: Any) -> None:
    source = {"name": "pushed", "lns": "chirpstack", "secret": SECRET}
    settings = settings_for("postgresql://nobody@127.0.0.1:9/none", INGEST__HTTP=json.dumps([source]))
    port = free_port()
    service = serve(settings | {"API__PORT": str(port)}, "ingest")
    await service.until_logged("the database does not answer; waiting for it")
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {SECRET}"}) as session:
        address = f"http://127.0.0.1:{port}/"
        async with session.post(f"{address}ingest/pushed?event=up", data=b"{}") as answer:
            assert answer.status == 204
        assert await metric(session, address, "samara_spooled_total") == 1
    assert await service.end(signal.SIGTERM) < STOP_WITHIN_S


async def test_a_port_that_is_taken_is_told(serve: Any, database: str) -> None:
    first = serve(settings_for(database), "api")
    address = (await first.until_logged("started"))["address"]
    port = address.rstrip("/").rpartition(":")[2]
    second = serve(settings_for(database, API__PORT=port), "api")
    await asyncio.to_thread(second.process.wait, 15)
    assert second.process.returncode == 2
    assert f"port {port}: Address already in use" in second.log.read_text(encoding="utf-8")
