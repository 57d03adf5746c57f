"""A fleet of probes whose decoder is mended: what they sent, stored as the old one or the new one understood it."""

import asyncio
import random
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import asyncpg

from decoders.registry import DecodeFunction, Decoder, Model, Registry
from domain.errors import DecodeError
from domain.events import Uplink
from domain.readings import Reading
from ingest import batching, understanding
from ingest.messages import Message, Origin
from ingest.redecode.portion import Size
from ingest.redecode.run import Asked, Report, apply, show
from ingest.redecode.tally import Tally
from ingest.runner import load_known
from store.changes import Changes
from store.known import Known, learn_foreign, learn_sources
from store.maintenance.run import run_once
from store.packing import Packed
from store.staging import prepare_connection
from store.writing import Written, write

MODEL = Model("acme-probe", "Acme", "Probe", ("temperature", "humidity", "water_volume", "battery_voltage"))
HOUR = timedelta(hours=1)
START = datetime(2026, 1, 30, 6, 0, tzinfo=UTC)
END = START + timedelta(days=400)
EUIS = [f"{number:016x}" for number in range(1, 6)]

LIVE, INDEXES, BATTERY, ALARM = 1, 2, 3, 4


def decode_old(payload: bytes, _f_port: int) -> list[Reading]:
    """Defects: tenths for hundredths, indexes an hour late, no battery, and an alarm that measures nothing."""
    if payload[0] == LIVE:
        temperature, humidity = struct.unpack(">xhB", payload)
        return [Reading("temperature", temperature / 10), Reading("humidity", float(humidity))]
    if payload[0] == INDEXES:
        return list(_indexes(payload, shift=1))
    if payload[0] == ALARM:
        return [Reading("humidity", 100.0, 1), Reading("alarm", 1.0)]
    raise DecodeError(f"frame {payload[0]}")


def decode_new(payload: bytes, _f_port: int) -> list[Reading]:
    if payload[0] == LIVE:
        temperature, humidity = struct.unpack(">xhB", payload)
        return [Reading("temperature", temperature / 100), Reading("humidity", float(humidity))]
    if payload[0] == INDEXES:
        return list(_indexes(payload, shift=0))
    if payload[0] == BATTERY:
        return [Reading("battery_voltage", payload[1] / 10)]
    raise DecodeError(f"frame {payload[0]}")


def _indexes(payload: bytes, shift: int) -> Iterator[Reading]:
    hour, count = struct.unpack(">xIB", payload)
    for number in range(count):
        at = datetime.fromtimestamp((hour - number + shift) * 3600, UTC)
        yield Reading("water_volume", float(hour - number), measured_at=at)


def registry_of(decode: DecodeFunction, version: str) -> Registry:
    return Registry([Decoder(MODEL, decode, version)])


OLD, NEW = registry_of(decode_old, "old"), registry_of(decode_new, "new")


class Sent(NamedTuple):
    source: str
    uplink: Uplink


def sent(chance: random.Random, days: int = 12) -> list[Sent]:
    """Return what the fleet sent, in order of arrival: live values, overlapping indexes, and frames told twice."""
    found = []
    for eui in EUIS:
        for count in range(days * 24 * 2):
            at = START + count * HOUR / 2 + timedelta(seconds=chance.randrange(600), microseconds=count)
            kind = chance.choice([LIVE, LIVE, INDEXES, BATTERY, ALARM, 9])
            payload = bytes((kind, chance.randrange(20, 40)))
            if kind == LIVE:
                payload = struct.pack(">BhB", kind, chance.randrange(-900, 12_000), chance.randrange(101))
            if kind == INDEXES:
                payload = struct.pack(">BIB", kind, int(at.timestamp() // 3600) - 1, chance.choice([1, 6, 30]))
            one = Uplink(dev_eui=eui, received_at=at, deduplication_id=str(count), dev_addr="01020304", f_cnt=count,
                         f_port=2, payload=payload, decoded={"raw": chance.randrange(9), "kind": kind})  # fmt: skip
            found.append(Sent("first", one))
            if not count % 7:
                later = at + timedelta(seconds=chance.randrange(1, 20))
                found.append(Sent("second", one._replace(received_at=later, deduplication_id=f"again{count}")))
    return sorted(found, key=lambda one: one.uplink.received_at)


def hourly_indexes(count: int) -> list[Sent]:
    """Return what one device sent that tells each hour's index once."""
    found = []
    for number in range(count):
        at = START + number * HOUR
        payload = struct.pack(">BIB", INDEXES, int(at.timestamp() // 3600), 1)
        one = Uplink(dev_eui=EUIS[0], received_at=at, deduplication_id=str(number), f_port=2, payload=payload)
        found.append(Sent("first", one))
    return found


class Ingesting:
    """What ingest does with uplinks, without a network server."""

    def __init__(self, connection: asyncpg.Connection, known: Known, registry: Registry) -> None:
        self._connection, self._known, self._registry = connection, known, registry

    @classmethod
    async def over(cls, connection: asyncpg.Connection, registry: Registry) -> "Ingesting":
        known = Known()
        await load_known(connection, known, registry, ["first", "second"])
        await prepare_connection(connection)
        return cls(connection, known, registry)

    async def store(self, told: Sequence[Sent]) -> Written:
        uplinks = {_message(one).topic: one.uplink for one in told}
        server: Any = SimpleNamespace(parse=lambda topic, _body, _at: [uplinks[topic]])
        read = understanding.read([_message(one) for one in told], {"fake": server})
        understood = understanding.identify(read, self._known, self._registry)
        await learn_foreign(self._connection, self._known, understanding.unknown_quantities(understood, self._known))
        rows = Packed()
        rows.add(batching.batch(understood, self._known, END))
        return await write(self._connection, rows, worker="test", changes=Changes(), now_s=0.0)


def _message(one: Sent) -> Message:
    name = f"{one.uplink.dev_eui} {one.uplink.deduplication_id}"
    return Message(Origin(one.source, "fake", lambda _tokens: None), 1, name, b"{}", 2, one.uplink.received_at)


async def declare(connection: asyncpg.Connection, model_id: str | None = MODEL.id) -> None:
    await load_known(connection, Known(), NEW, [])
    await learn_sources(connection, Known(), ["first", "second"])
    await connection.execute("INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'test', 'Test')")
    rows = [(eui, model_id) for eui in EUIS]
    await connection.executemany("INSERT INTO devices (dev_eui, tenant_id, model_id) VALUES ($1, 1, $2)", rows)


async def ingested(connection: asyncpg.Connection, registry: Registry, told: Sequence[Sent]) -> None:
    ingest = await Ingesting.over(connection, registry)
    for at in range(0, len(told), 300):
        await ingest.store(told[at : at + 300])


SMALL = Size(devices=2, uplinks=40)
EVERYTHING = Asked(None, MODEL.id, START, END)


def quiet(_tally: Tally) -> None:
    pass


async def applied(dsn: str, asked: Asked = EVERYTHING, **others: Any) -> Report:
    given = {"registry": NEW, "now": END, "asked_by": "tester", "reason": "mended", "on_progress": quiet, "size": SMALL}
    return await apply(dsn, asked, **given | others)


async def shown(dsn: str, asked: Asked = EVERYTHING, **others: Any) -> Report:
    return await show(dsn, asked, **{"registry": NEW, "now": END, "on_progress": quiet, "size": SMALL} | others)


class State(NamedTuple):
    """What is derived from uplinks, by names rather than numbers."""

    measurements: set[tuple[Any, ...]]
    outcomes: set[tuple[Any, ...]]
    hourly: set[tuple[Any, ...]]
    daily: set[tuple[Any, ...]]


async def state(connection: asyncpg.Connection) -> State:
    measurements = """
        SELECT device_id, name, channel, measured_at, value FROM measurements JOIN quantities USING (quantity_id)
    """
    outcomes = """
        SELECT device_id, received_at, uplink_key, outcome, detail, version
          FROM uplinks LEFT JOIN decoders USING (decoder_id) WHERE outcome <> 'twin'
    """
    hourly, daily = (
        f"""
        SELECT device_id, name, channel, {unit}, samples, round(total::numeric, 6), made.low, made.high, first, last
          FROM {relation} AS made JOIN quantities USING (quantity_id)
        """
        for unit, relation in (("hour", "measurements_hourly"), ("day", "measurements_daily"))
    )
    statements = (measurements, outcomes, hourly, daily)
    return State(*[{tuple(row) for row in await connection.fetch(statement)} for statement in statements])


async def settle(connection: asyncpg.Connection) -> None:
    """Let maintenance do what was left to it."""
    async with asyncio.timeout(60):
        while (await run_once(connection, END)).more:
            pass
