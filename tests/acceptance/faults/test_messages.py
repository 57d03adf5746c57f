"""Messages that nobody can read, that are far too large, or that come while the machine's clock is wrong."""

import asyncio
import gzip
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from faults.figures import Figures
from faults.processes import SAMARA, Mosquitto
from faults.territory import (
    Stopwatch,
    assert_kept,
    count,
    declare,
    judged,
    load,
    publish,
    until,
    until_count,
)
from simulators.broker import BrokerAddress
from simulators.load.generate import generate
from simulators.load.judge import told
from simulators.load.spec import at_rate
from simulators.mqtt_publisher import Publisher
from store.maintenance.run import run_once

NEIGHBOURS_DELAYED_S = 1.0
MAX_GROWTH_MB = 32
SECRET = "a secret of the tests"
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
NO_FAKETIME = "A wrong clock: libfaketime is not installed; apt-get install libfaketime"


def poison(topic: str, good: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield messages that cannot be stored as they are, of every kind that was thought of."""
    said = json.loads(good)

    def but(**changed: Any) -> tuple[str, bytes]:
        return topic, json.dumps(said | changed).encode()

    yield topic, b""
    yield topic, b"\xff\xfe\x00" * 100
    yield topic, good[: len(good) // 2]
    yield topic, good.replace(b"deviceInfo", b"device\xc3\x28nfo")
    yield topic, b"[" * 10_000 + b"]" * 10_000
    yield topic, b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    yield topic, good + b" " * 300_000
    yield topic, b'"text"'
    yield topic, b"null"
    yield topic.rpartition("/")[0] + "/nothing-we-know", good
    yield topic.rpartition("/")[0] + "/\u00e9v\u00e9nement", good
    for number, changed in enumerate(_changes(said)):
        identifier = f"0badf00d-0000-4000-8000-{number:012x}"
        yield but(**{"deduplicationId": identifier} | changed)


def _changes(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield fields that are of another type, out of every range, or more than anybody sends."""
    info, heard = said["deviceInfo"], said["rxInfo"][0]
    yield {"deviceInfo": info | {"devEui": "ffffffffffffffff"}}
    yield {"deviceInfo": info | {"devEui": "not an EUI"}}
    yield {"deviceInfo": None}
    yield {"devAddr": "\u0000\u0000"}
    yield {"devAddr": "\ud800"}
    yield {"data": "%%% not base64"}
    yield {"data": "A" * 100_000}
    for f_cnt in (-1, 2**32, 2**63, 2**64, 1e300, "12"):
        yield {"fCnt": f_cnt}
    for f_port in (-1, 256, 40_000, 2**31):
        yield {"fPort": f_port}
    for at in ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2016-02-29T12:00:00Z", "yesterday", ""):
        yield {"time": at, "rxInfo": [heard | {"nsTime": at, "gwTime": at}]}
    for rssi in (-(2**31), 1e308, "loud"):
        yield {"rxInfo": [heard | {"rssi": rssi, "snr": rssi}]}
    yield {"rxInfo": [heard | {"gatewayId": f"{number:016x}"} for number in range(300)]}
    yield {"rxInfo": [heard] * 300}
    yield {"rxInfo": [heard | {"gatewayId": "\u0000"}]}
    yield {"rxInfo": [heard | {"location": {"latitude": 1e300, "longitude": "east"}}]}
    for channel in (-1, 40_000, 2**31, 2**63):
        yield {"rxInfo": [heard | {"channel": channel}]}
    yield {"rxInfo": [heard | {"location": {"latitude": 91.0, "longitude": -999.0, "altitude": 1e30}}]}
    yield {"rxInfo": [heard | {"gatewayId": "g" * 5_000}]}
    yield {"dr": 40_000}
    yield {"dr": -1}
    yield {"deduplicationId": "\u0000" * 5}
    yield {"deduplicationId": "d" * 100_000}
    yield {"object": {"temperature": 1.7e308, "n" * 10_000: 2**63, "deep": {"\u0000": [{"x": [None] * 9_999}]}}}
    yield {"txInfo": {"modulation": {"lora": {"spreadingFactor": 10**6}}}}
    yield {"txInfo": {"modulation": {"lora": {"bandwidth": 10**12}}}}
    yield {"txInfo": {"frequency": 2**63}}
    yield {"txInfo": {"frequency": -1, "modulation": {"lora": {"spreadingFactor": 10**6, "bandwidth": 10**12}}}}
    yield {"object": {f"name {number}": number for number in range(5_000)}}
    yield {"object": {"\u0000": "\u0000", "\ud800": 1e999}}
    yield {"object": json.loads("[" * 500 + "]" * 500)}
    yield {"object": "x" * 200_000}


async def test_poison_among_good_ones(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    spec = at_rate(500, 4, start_at=datetime.now(UTC), devices=250, models=("dragino-lse01", "dragino-dds75-lb"))
    strange = load(1, devices=1, name="strange", first_dev_eui=0x025A_3000_0000_0000)
    await declare(database, spec)
    await declare(database, strange)
    first = next(generate(strange))
    bad = list(poison(first.topic, first.payload))
    service = await ingest(database, mosquitto).start()
    publishing = asyncio.create_task(publish(spec, mosquitto.port, tmp_path / "ledger"))
    async with Publisher(BrokerAddress(port=mosquitto.port), client_id="poison") as publisher:
        for one in bad:
            await publisher.publish(*one)
            await asyncio.sleep(0.02)
        await publisher.drained()
    await publishing
    await until(lambda: _accounted(database, spec.uplinks + len(bad)))
    [found] = await judged(database, tmp_path / "ledger", late_after_s=NEIGHBOURS_DELAYED_S)
    quarantined = await count(database, "quarantine")
    metrics = await service.metrics()
    await service.stop()
    figures.report(
        "poison among good ones",
        kinds=len(bad),
        quarantined=quarantined,
        neighbours_p99_s=found.verdict.latency_p99_s,
        neighbours_late=found.verdict.late,
        acknowledged_lost=found.verdict.lost,
        stored_duplicates=found.verdict.duplicated + found.same_key,
    )
    assert not found.verdict.broken, told(found.verdict)
    assert metrics["samara_spooled_total"] == 0
    assert quarantined >= len(bad) // 2


async def _accounted(dsn: str, messages: int) -> bool:
    connection = await asyncpg.connect(dsn)
    total = await connection.fetchval("SELECT coalesce(sum(messages), 0)::int FROM ingest_accounts")
    await connection.close()
    return bool(total >= messages)


async def test_far_too_large(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Over HTTP 256 MB, a gzip bomb of as much, and 10,000 levels of JSON; over MQTT 32 MB."""
    spec = load(400)
    await declare(database, spec)
    source = {"name": "pushed", "lns": "chirpstack", "secret": SECRET}
    service = await ingest(database, mosquitto, http=[source]).start()
    await publish(spec, mosquitto.port, tmp_path / "ledger")
    await until_count(database, spec.uplinks)
    url = f"{service.address}ingest/pushed?event=up"
    at_rest_mb = service.forget_peak()
    async with aiohttp.ClientSession(headers={"X-Samara-Secret": SECRET}) as session:
        refused = [
            await _status(session, url, BytesIO(bytes(256 * 1024 * 1024))),
            await _status(session, url, _in_chunks(256)),
            await _status(session, url, gzip.compress(bytes(256 * 1024 * 1024), 6), {"Content-Encoding": "gzip"}),
        ]
        deep = await _status(session, url, b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
        deep_list = await _status(session, url, b"[" * 10_000 + b"]" * 10_000)
    async with Publisher(BrokerAddress(port=mosquitto.port), client_id="large") as publisher:
        await publisher.publish(next(generate(spec)).topic, bytes(32 * 1024 * 1024))
        await publisher.drained()
    await until_count(database, 3, "quarantine")
    growth_mb = service.peak_mb() - at_rest_mb
    metrics = await service.metrics()
    await service.stop()
    kept = await assert_kept(database, tmp_path / "ledger")
    figures.report(
        "256 MB, deep JSON, gzip bomb",
        refused=int(metrics["samara_http_refused_total"]),
        quarantined=int(metrics["samara_quarantined_total"]),
        rss_growth_mb=growth_mb,
        **kept,
    )
    assert refused == [413, 413, 413]
    assert (deep, deep_list) == (204, 204)  # durable in quarantine: else a webhook sends it for ever
    assert metrics["samara_http_refused_total"] == 3
    assert growth_mb <= MAX_GROWTH_MB


async def _status(session: aiohttp.ClientSession, url: str, body: Any, headers: dict[str, str] | None = None) -> int:
    """Return the answer's status; 413 also when the connection is closed on us in the middle of it."""
    try:
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status
    except aiohttp.ClientOSError:
        return 413


async def _in_chunks(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield bytes(1024 * 1024)


@pytest.mark.parametrize("off", ["+1d", pytest.param("-1d", marks=pytest.mark.slow)])
async def test_clock_a_day_off(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, off: str
) -> None:
    """Times are the network server's, both changes of the hour are right, and the doctor says what is wrong."""
    if not FAKETIME.exists():  # noqa: ASYNC240
        pytest.skip(NO_FAKETIME)
    environment = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": off, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    now = datetime.now(UTC)
    changes = [(datetime(now.year - 1, 3, 31, tzinfo=UTC), 23), (datetime(now.year - 1, 10, 31, tzinfo=UTC), 25)]
    sundays = [(month_end - timedelta(days=(month_end.weekday() + 1) % 7), hours) for month_end, hours in changes]
    specs = [
        load(
            72 * 4,
            devices=4,
            period_s=3600,
            start_at=sunday - timedelta(days=1),
            name=f"day-of-{hours}",
            first_dev_eui=eui,
        )
        for (sunday, hours), eui in zip(sundays, (0x025A_4000_0000_0000, 0x025A_5000_0000_0000), strict=True)
    ]
    specs.append(load(200, name="today"))
    service = ingest(database, mosquitto, environment=environment)
    for spec in specs:
        await declare(database, spec)
    await service.start()
    for spec in specs:
        await publish(spec, mosquitto.port, tmp_path / spec.name)
    await until_count(database, sum(spec.uplinks for spec in specs))
    await service.stop()
    kept = await assert_kept(database, *[tmp_path / spec.name for spec in specs])
    samples = await _samples_of_days(database, [sunday for sunday, _ in sundays])
    doctor = await asyncio.to_thread(_doctor, database, environment, tmp_path)
    figures.report(f"clock {off}", hours_of_the_days=samples, **kept)
    assert samples == [23, 25]
    assert "apart from the database's" in doctor


async def _samples_of_days(dsn: str, sundays: list[datetime]) -> list[int]:
    """Return how many hourly frames each device has on these days of Paris."""
    connection = await asyncpg.connect(dsn)
    while (await run_once(connection, datetime.now(UTC) + timedelta(hours=2))).more:
        pass
    found = [
        await connection.fetchval(
            "SELECT max(samples) FROM measurements_daily WHERE day = $1::date::timestamp AT TIME ZONE 'Europe/Paris'",
            sunday.date(),
        )
        for sunday in sundays
    ]
    await connection.close()
    return found


def _doctor(dsn: str, environment: dict[str, str], directory: Path) -> str:
    settings = {"SAMARA_DATABASE__DSN": dsn, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [SAMARA, "doctor"], cwd=directory, env=settings | environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.slow
async def test_hundred_thousand_devices(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Each on a topic of its own, twice."""
    spec = load(200_000, devices=100_000)
    await declare(database, spec)
    service = ingest(database, mosquitto)
    starting = Stopwatch()
    await service.start()
    start_s = starting.seconds
    at_rest_mb = service.forget_peak()
    await publish(spec, mosquitto.port, tmp_path / "ledger")
    await until_count(database, spec.uplinks, within_s=300)
    peak_mb = service.peak_mb()
    kept = await assert_kept(database, tmp_path / "ledger")
    await service.stop()
    figures.report(
        "100,000 devices and topics", start_s=start_s, rss_at_rest_mb=at_rest_mb, rss_peak_mb=peak_mb, **kept
    )
    assert start_s <= 60
    assert peak_mb <= 1024
