"""What needs no broker: microseconds of each step of ingest on one core, and what bare COPY makes of the same rows."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import asyncpg
from bench_load import READINGS, backlog
from bench_servers import Database

from decoders.registry import Registry
from deploy.interpreter import collect_cycles_seldom
from ingest import batching, lns, understanding
from ingest.codecs import Codecs
from ingest.messages import Message, Origin
from ingest.runner import load_known
from ingest.wire import PacketReader, puback
from ingest.writer import PART, Writer
from simulators.load.generate import generate
from simulators.mqtt_packets import publish
from store import known as known_names
from store import staging, writing
from store.accounts import add_accounts, count_frames
from store.changes import Changes
from store.known import Known
from store.newest import newest_rows
from store.packing import Packed
from store.pool import connect
from store.rows import HEADER, TRAILER, changed_hour

Figures = dict[str, float]

BATCH: Final = 2_000
REPEATS: Final = 7
SMALL_BATCHES: Final = 150
MEASUREMENTS: Final = "measurements"
WHOLE: Final = "the whole row set"
_ROWS: Final = READINGS + 4  # the uplink, two receptions, the latest values
_RECEIVED_AT_ONCE: Final = 64 * 1024


class Path(NamedTuple):
    """The steps of ingest with what they need, outside of a process."""

    known: Known
    registry: Registry
    servers: dict[str, Any]
    now: datetime

    def read(self, messages: Sequence[Message]) -> understanding.Read:
        """Parse."""
        return understanding.read(messages, self.servers)

    def rows(self, messages: Sequence[Message]) -> Packed:
        """Go the whole way from messages to rows."""
        packed = Packed()
        for at in range(0, len(messages), PART):
            understood = understanding.identify(self.read(messages[at : at + PART]), self.known, self.registry)
            packed.add(batching.batch(understood, self.known, self.now))
        return packed


async def path_of(connection: asyncpg.Connection, messages: Sequence[Message]) -> Path:
    """Return the steps, knowing the fleet of the database and the gateways of these messages."""
    path = Path(Known(), Registry.load(), dict(lns.load()), datetime.now(UTC))
    await load_known(connection, path.known, path.registry, ["bench"])
    understood = understanding.identify(path.read(messages), path.known, path.registry)
    await known_names.learn_gateways(connection, path.known, understanding.unknown_gateways(understood, path.known))
    return path


def messages_of(uplinks: int) -> list[Message]:
    """Return a backlog as the reader would hand it over."""
    origin, now = Origin("bench", "chirpstack", lambda _tokens: None), datetime.now(UTC)
    return [
        Message(origin, number % 65_535 + 1, one.topic, one.payload, len(one.payload), now)
        for number, one in enumerate(generate(backlog(uplinks)))
    ]


async def stages(database: Database) -> Figures:
    """Return microseconds an uplink of each step, the median of seven; as ingest does, some messages at a time."""
    messages = messages_of(BATCH)
    wire = b"".join([publish(one.topic.encode(), one.body, one.token) for one in messages])
    async with database.fresh() as dsn:
        connection = await asyncpg.connect(dsn)
        path = await path_of(connection, messages)
        collect_cycles_seldom()  # as `samara serve` does
        rounds = []
        for _ in range(REPEATS):
            watch = _Watch()
            _cut(wire, messages[0].origin)
            watch.note("receive")
            packed = Packed()
            for at in range(0, BATCH, PART):
                _steps(path, messages[at : at + PART], packed, watch)
            for _, group in groupby(messages, _origin):
                puback([message.token for message in group])
            watch.note("acknowledge")
            rounds.append(watch.us())
        figures = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        figures["lookup"] -= figures["decode"]  # which it did once more
        figures["copy"] = await _storing_us(connection, path)
        await connection.close()
    return figures | {"total": sum(figures.values())}


def _steps(path: Path, messages: Sequence[Message], packed: Packed, watch: "_Watch") -> None:
    """Take some messages from their bytes to their rows."""
    known, registry = path.known, path.registry
    watch.note("")
    found = path.read(messages)
    watch.note("parse")
    frames = [(known.devices[one.uplink.dev_eui].model_id, one.uplink) for one in found.uplinks]
    watch.note("")
    for model, one in frames:
        registry.decode(model, one.payload, one.f_port, None)
    watch.note("decode")
    understanding.unknown_sources(messages, known)
    understanding.unknown_devices(found, known)
    understood = understanding.identify(found, known, registry)
    understanding.unknown_gateways(understood, known)
    understanding.unknown_quantities(understood, known)
    watch.note("lookup")
    batch = batching.batch(understood, known, path.now)
    watch.note("rows")
    packed.add(batch)
    watch.note("pack")


class _Watch:
    """CPU time by step: each note takes what went by since the one before."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}
        self._at = time.process_time()

    def note(self, step: str) -> None:
        """Say what was just done."""
        now = time.process_time()
        self._spent[step] = self._spent.get(step, 0.0) + now - self._at
        self._at = now

    def us(self) -> Figures:
        """Return microseconds an uplink, by step."""
        return {step: spent / BATCH * 1e6 for step, spent in self._spent.items() if step}


def _cut(wire: bytes, origin: Origin) -> list[Message]:
    reader = PacketReader(version_5=False, max_message_bytes=256 * 1024)
    messages, now, view, at = [], datetime.now(UTC), memoryview(wire), 0
    while at < len(view):
        room = reader.room()
        count = min(len(room), len(view) - at, _RECEIVED_AT_ONCE)
        room[:count] = view[at : at + count]
        at += count
        messages += [
            Message(origin, number, topic, body, size, now) for number, topic, body, size in reader.received(count)
        ]
    return messages


def _origin(message: Message) -> Origin:
    return message.origin


async def _storing_us(connection: asyncpg.Connection, path: Path) -> float:
    """Return our own CPU time of writing packed batches: joining the rows, sending them, waiting excluded."""
    await staging.prepare_connection(connection)
    batches = [path.rows(part) for part in _parts(messages_of((REPEATS + 1) * BATCH))]
    times, changes = [], Changes()
    for batch in batches:
        began = time.process_time()
        await writing.write(connection, batch, worker="bench", changes=changes, now_s=time.monotonic())
        times.append(time.process_time() - began)
    return statistics.median(times[1:]) / BATCH * 1e6


async def small_batches(database: Database, uplinks: int) -> Figures:
    """Return what a batch costs whatever its size: microseconds of our CPU, and milliseconds until it is committed."""
    messages = messages_of(uplinks * SMALL_BATCHES)
    async with database.fresh() as dsn:

        async def open_connection() -> asyncpg.Connection:
            return await connect(dsn, application="bench")

        connection = await open_connection()
        path = await path_of(connection, messages)
        await connection.close()
        writer = Writer(
            open_connection,
            known=path.known,
            servers=path.servers,
            registry=path.registry,
            codecs=Codecs(),
            clock=lambda: datetime.now(UTC),
            worker="bench",
        )
        used, waited = [], []
        for at in range(0, len(messages), uplinks):
            began, began_cpu = time.perf_counter(), time.process_time()
            await writer.store(messages[at : at + uplinks])
            used.append(time.process_time() - began_cpu)
            waited.append(time.perf_counter() - began)
        writer.close()
    return {"batch_us": statistics.median(used) * 1e6, "batch_ms": statistics.median(waited) * 1e3}


def _parts(messages: Sequence[Message]) -> Iterable[Sequence[Message]]:
    return (messages[at : at + BATCH] for at in range(0, len(messages), BATCH))


class Prepared(NamedTuple):
    """The rows of a batch as COPY takes them, for each statement of the transaction in its order."""

    copies: dict[str, bytes]
    batch: Packed


_COLUMNS: Final = {
    "uplinks": staging.UPLINK_COLUMNS,
    "receptions": staging.RECEPTION_COLUMNS,
    "measurements": staging.MEASUREMENT_COLUMNS,
    "changed_hours": ("device_id", "hour"),
    "staged_latest": staging.LATEST_COLUMNS,
}


def _prepared(batch: Packed) -> Prepared:
    frames = batch.frames
    rows = {
        "uplinks": [one.uplink for one in frames],
        "receptions": [one.receptions for one in frames],
        "measurements": [one.live for one in frames],
        "changed_hours": [changed_hour(*mark) for mark in {mark for one in frames for mark in one.marks}],
        "staged_latest": newest_rows([one.latest for one in frames]),
    }
    return Prepared({table: HEADER + b"".join(data) + TRAILER for table, data in rows.items()}, batch)


async def copies(database: Database, uplinks: int, *, what: str, connections: int) -> tuple[Figures, dict[str, float]]:
    """Send rows made in advance, MEASUREMENTS alone or the WHOLE row set as a batch of ingest does.

    Returns the figures, and microseconds an uplink that each statement of the whole row set took.
    """
    async with database.fresh() as dsn:
        opened = [await asyncpg.connect(dsn) for _ in range(connections)]
        waiting = iter(await _ready(opened, uplinks))
        spent: dict[str, float] = {}

        async def work(connection: asyncpg.Connection) -> None:
            for one in waiting:
                if what == WHOLE:
                    await _whole(connection, one, spent)
                else:
                    await _copy(connection, MEASUREMENTS, one.copies[MEASUREMENTS])

        began = time.perf_counter()
        await asyncio.gather(*(work(connection) for connection in opened))
        seconds = time.perf_counter() - began
        for connection in opened:
            await connection.close()
    rows = _ROWS if what == WHOLE else READINGS
    figures = {"per_second": uplinks / seconds, "rows_per_second": uplinks * rows / seconds}
    return figures, {name: used / uplinks * 1e6 for name, used in spent.items()}


async def _ready(opened: Sequence[asyncpg.Connection], uplinks: int) -> list[Prepared]:
    messages = messages_of(uplinks)
    path = await path_of(opened[0], messages)
    batches = [path.rows(part) for part in _parts(messages)]
    for connection in opened:
        await staging.prepare_connection(connection)
    await writing.make_partitions(opened[0], batches[0])
    return [_prepared(batch) for batch in batches]


async def _whole(connection: asyncpg.Connection, one: Prepared, spent: dict[str, float]) -> None:
    began = time.perf_counter()

    def note(name: str) -> None:
        nonlocal began
        now = time.perf_counter()
        spent[name] = spent.get(name, 0.0) + now - began
        began = now

    await connection.execute("BEGIN")
    note("begin")
    for table, data in one.copies.items():
        await _copy(connection, table, data)
        note(table)
    await connection.execute(staging.UPSERT_STAGED_LATEST)
    note("latest_frames")
    await add_accounts(connection, count_frames(one.batch.frames, None), one.batch, "bench")
    note("ingest_accounts")
    await connection.execute("COMMIT")
    note("commit")


async def _copy(connection: asyncpg.Connection, table: str, data: bytes) -> None:
    await connection.copy_to_table(table, source=memoryview(data), columns=_COLUMNS[table], format="binary")
