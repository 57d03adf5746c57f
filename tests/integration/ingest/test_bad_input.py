"""Every bad message that a network server, a device or a stranger may send, among good ones, to the tables."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
from ingest_support import declare, ingesting, source, until

from decoders.registry import Decoder, Model, Registry
from domain import quarantine as why
from domain.readings import Reading
from simulators.broker import BrokerAddress
from simulators.mqtt_publisher import Publisher

NOW = datetime.now(UTC).replace(microsecond=0)
GOOD, DEFECT, HOT, UNMODELLED = "a0" * 8, "de" * 8, "40" * 8, "0f" * 8
FLEET = {GOOD: "acme-good", DEFECT: "acme-defect", HOT: "acme-hot", UNMODELLED: None}
ACCOUNTED = "SELECT coalesce(sum(messages), 0)::bigint FROM ingest_accounts"
BY_OUTCOME = "SELECT outcome, sum(messages)::bigint FROM ingest_accounts GROUP BY 1"
BY_REASON = "SELECT reason, message, message_bytes, times, dev_eui FROM quarantine WHERE kind IS NOT NULL"


class Sent(NamedTuple):
    """A message, and why it must be set aside: "" when it must be stored."""

    what: str
    topic: str
    body: bytes
    reason: str = ""


numbers = count(1)


def up(dev_eui: Any = GOOD, **fields: Any) -> dict[str, Any]:
    """Return an uplink as ChirpStack v4 publishes it, a new one each time."""
    number = next(numbers)
    return {
        "deduplicationId": f"id-{number}",
        "time": (NOW - timedelta(seconds=number)).isoformat(),
        "deviceInfo": {"devEui": dev_eui, "deviceName": "name", "deviceProfileName": "profile"},
        "devAddr": "01020304",
        "fCnt": number,
        "fPort": 1,
        "data": base64.b64encode(b"\x01").decode(),
        "rxInfo": [{"gatewayId": "0102030405060708", "rssi": -100, "snr": 1.5}],
    } | fields


def sent(what: str, payload: Any, reason: str = "", *, event: str = "up") -> Sent:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Sent(what, f"application/1/device/{GOOD}/event/{event}", body, reason)


def bad() -> Iterator[Sent]:
    yield sent("not JSON", b'{"deviceInfo": {', why.UNREADABLE)
    yield sent("empty", b"", why.UNREADABLE)
    yield sent("JSON, not an object", b"[1, 2, 3]", why.UNREADABLE)
    yield sent("not Protobuf", b"\x0a\xff\xff\xff\xff\xff\xff", why.UNREADABLE)
    yield sent("noise", bytes(range(255, 0, -1)), why.UNREADABLE)
    yield sent("not UTF-8", json.dumps(up()).encode().replace(b"name", b"\xff\xfe\xfd\xfc", 1), why.UNREADABLE)
    yield sent("NaN", json.dumps(up(adr=float("nan"))).encode(), why.UNREADABLE)
    yield sent("raw NUL", json.dumps(up()).encode().replace(b"profile", b"pro\0ile", 1), why.UNREADABLE)
    yield sent("lone surrogate", json.dumps(up()).replace("profile", "\\ud800").encode(), why.UNREADABLE)
    yield sent("deep", deep(json.dumps(up(object={"x": "DEEP"}))), why.UNREADABLE)
    yield sent("deep where nobody looks", deep(json.dumps(up(unknown="DEEP"))), why.UNREADABLE)
    yield sent("deep by a little", up(object={"x": nested(40)}), why.UNREADABLE)
    yield sent("10 MB", b'{"x": "' + bytes(10_000_000), why.TOO_LARGE)
    yield sent("unknown topic", up(), why.UNKNOWN_TOPIC, event="nonsense")
    for eui in ("xyz", "", "a" * 15, "a" * 17, "\0" * 16, 12, None):
        yield sent(f"DevEUI {eui!r}", up(eui), why.BAD_DEV_EUI)
    for time in ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "yesterday", "", "2026-13-45T99:00:00Z"):
        yield sent(f"time {time!r}", up(time=time), why.BAD_TIME)
    yield sent("naive time", up(time=NOW.replace(tzinfo=None).isoformat()), why.BAD_TIME)
    for f_cnt in (-1, 2**32, 2**70, 1.5, "12"):
        yield sent(f"FCnt {f_cnt!r}", up(fCnt=f_cnt), why.BAD_FIELD)
    for data in (base64.b64encode(bytes(300)).decode(), "not base64!", 12):
        yield sent(f"payload {str(data)[:12]!r}", up(data=data), why.BAD_FIELD)
    for field, value in {"fPort": 256, "dr": 16, "devAddr": "xyz", "rxInfo": {}, "deduplicationId": "i" * 129}.items():
        yield sent(f"{field} {value!r}", up(**{field: value}), why.BAD_FIELD)
    for rssi in (-1001, "loud", 1e300):
        yield sent(f"rssi {rssi!r}", up(rxInfo=[{"gatewayId": "g", "rssi": rssi}]), why.BAD_FIELD)
    yield sent("unknown device", up("ee" * 8), why.UNKNOWN_DEVICE)
    yield sent("join of an unknown device", {**up("ee" * 8), "fCnt": None}, why.UNKNOWN_DEVICE, event="join")


def stored() -> Iterator[Sent]:
    """Strange, but right; and what costs readings alone."""
    yield sent("NUL, escaped", up(deviceInfo={"devEui": GOOD, "deviceName": "a\0b", "deviceProfileName": "\0"}))
    yield sent("NUL in what the codec computed", up(UNMODELLED, object={"a\0b": 1, "text": "\0"}))
    yield sent("numbers that no float holds", up(UNMODELLED, object={"huge": 10**400, "b": 1e308, "c": 2**64}))
    yield sent("decoder that raises", up(DEFECT))
    yield sent("implausible", up(HOT))
    yield sent("MAC commands alone", up(fPort=0, data=""))
    yield sent("heard by nobody", up(rxInfo=[]))
    yield sent("DevEUI in capitals", up(GOOD.upper()))
    yield sent("oldest", up(time="2015-01-01T00:00:00Z"))
    yield sent("newest", up(time=(NOW + timedelta(hours=47)).isoformat()))
    yield sent("each field at its limit", up(
        fCnt=2**32 - 1, fPort=255, dr=15, data=base64.b64encode(bytes(242)).decode(), deduplicationId="é" * 128,
        rxInfo=[{"gatewayId": "é" * 64, "rssi": -1000, "snr": 1000, "channel": 32767}],
        txInfo={"frequency": 2**32 - 1, "modulation": {"lora": {"bandwidth": 10**7, "spreadingFactor": 12}}},
    ))  # fmt: skip


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


def deep(text: str) -> bytes:
    return text.replace('"DEEP"', "[" * 10_000 + "]" * 10_000).encode()


def defect(_payload: bytes, _f_port: int) -> list[Reading]:
    raise ZeroDivisionError("\0 a defect")


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of this test's own."""

    def decoder(model_id: str, decode: Any) -> Decoder:
        return Decoder(Model(model_id, "Acme", model_id, ("temperature",)), decode, "1")

    registry = Registry([
        decoder("acme-good", lambda _payload, _f_port: [Reading("temperature", 20.0)]),
        decoder("acme-hot", lambda _payload, _f_port: [Reading("temperature", 5000.0), Reading("humidity", 50.0)]),
        decoder("acme-defect", defect),
    ])  # fmt: skip
    monkeypatch.setattr("ingest.runner.Registry.load", lambda: registry)


@pytest.mark.usefixtures("acme")
async def test_each_bad_message_is_kept_with_its_reason_and_its_neighbours_are_stored(
    any_database: str, mosquitto_broker: Any, tmp_path: Path
) -> None:
    await declare(any_database, FLEET)
    connection = await asyncpg.connect(any_database)
    heard = source(mosquitto_broker, client_id="bad-input")
    refused, kept = list(bad()), list(stored())
    messages = [one for pair in ((strange, sent("good", up())) for strange in refused) for one in pair] + kept

    async def publish() -> None:
        address = BrokerAddress(host=mosquitto_broker.host, port=mosquitto_broker.port)
        async with Publisher(address, client_id="bad-input-publisher") as publisher:
            await publisher.publish_many((one.topic, one.body) for one in messages)

    async def accounted(messages: int) -> bool:
        return bool(await connection.fetchval(ACCOUNTED) == messages)

    async with ingesting(any_database, tmp_path, heard):
        pass
    await publish()  # while we are away, so that they come in one batch
    async with ingesting(any_database, tmp_path, heard) as ingest:
        await until(lambda: accounted(len(messages)))
        await check(connection, messages, times=1)
        await publish()
        await until(lambda: accounted(2 * len(messages)))
        await check(connection, messages, times=2)
        assert not ingest.pipeline.is_full
    await connection.close()


async def check(connection: Any, messages: list[Sent], *, times: int) -> None:
    """Compare what the tables hold with what was sent that many times."""
    refused = [one for one in messages if one.reason]
    good = len(messages) - len(refused)
    rows = await connection.fetch(BY_REASON)
    found = {row["message"]: row["reason"] for row in rows}
    told = {one.what: found.get(one.body[:4096] if len(one.body) > 10**6 else one.body) for one in refused}
    assert told == {one.what: one.reason for one in refused}
    assert {row["times"] for row in rows} == {times}
    assert Counter(row["message_bytes"] for row in rows) == Counter(len(one.body) for one in refused)
    assert {row["dev_eui"] for row in rows if row["reason"] == why.UNKNOWN_DEVICE} == {"ee" * 8}

    outcomes = dict(await connection.fetch(BY_OUTCOME))
    expected = {"stored": good, "quarantined": times * len(refused), "duplicate": (times - 1) * good}
    assert outcomes == {outcome: number for outcome, number in expected.items() if number}

    assert await connection.fetchval("SELECT count(*) FROM uplinks") == good
    by_outcome = dict(await connection.fetch("SELECT outcome, count(*) FROM uplinks GROUP BY 1"))
    assert (by_outcome["failed"], by_outcome["foreign"], by_outcome["empty"]) == (1, 2, 1)
    assert await connection.fetchval("SELECT count(*) FROM measurements WHERE value = 5000") == 0
    assert await connection.fetchval("SELECT count(*) FROM measurements WHERE value = 50") == 1
    (implausible,) = await connection.fetch("SELECT reason, times FROM quarantine WHERE kind IS NULL")
    assert tuple(implausible) == (why.IMPLAUSIBLE, times)
