"""The writer over a database that fails on command: what each failure costs, and whom."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import asyncpg
import pytest

from decoders.registry import Registry
from domain.errors import MessageError, StoreUnavailableError
from domain.events import Uplink
from domain.quarantine import BAD_FIELD
from ingest import writer as module
from ingest.codecs import Codecs
from ingest.messages import Message, Origin
from ingest.writer import Writer
from store.known import Device, Known
from store.packing import Packed
from store.writing import CommitUnknownError, Written

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FakeConnection:
    def __init__(self, pid: int = 0) -> None:
        self.pid = pid
        self.is_terminated = False

    def get_server_pid(self) -> int:
        return self.pid

    def is_closed(self) -> bool:
        return self.is_terminated

    def terminate(self) -> None:
        self.is_terminated = True


class Database:
    """What is committed, and what goes wrong: `fails` is asked before each transaction with its bodies."""

    def __init__(self) -> None:
        self.connections: list[FakeConnection] = []
        self.committed: list[bytes] = []
        self.devices: list[int] = []
        self.transactions = 0
        self.fails: Callable[[list[bytes], int], None] = lambda _bodies, _number: None
        self.statuses: dict[str, list[bool | None]] = {}
        self.ended: list[int] = []

    async def connect(self) -> Any:
        self.connections.append(FakeConnection(len(self.connections)))
        return self.connections[-1]

    async def write(
        self, connection: FakeConnection, batch: Packed, *, worker: str, complete_duplicates: bool, **_options: object
    ) -> Written:
        assert worker == "worker"
        assert not complete_duplicates
        assert not connection.is_closed()
        self.transactions += 1
        bodies = [next(value for value in one.row[5:] if isinstance(value, bytes)) for one in batch.quarantined]
        details = [value for one in batch.quarantined for value in one.row if isinstance(value, str)]
        if not any(detail.startswith("the store refused it") for detail in details):
            self.fails(bodies, self.transactions)
        self.committed += bodies
        self.devices += [frame.key[0] for frame in batch.frames]
        return Written(len(batch.frames), 0, len(bodies), 0)

    async def end(self, connection: FakeConnection, pids: Sequence[int]) -> None:
        assert connection.pid not in pids
        self.ended += pids

    async def status(self, connection: FakeConnection, transaction_id: str) -> bool | None:
        assert not connection.is_closed()
        return self.statuses[transaction_id].pop(0)

    def commit_unknown(self, bodies: list[bytes], *, took: bool, asked: int = 0) -> CommitUnknownError:
        """Return the error of a COMMIT that nobody heard the answer of; it takes this many questions more."""
        self.statuses["one"] = [*[None] * asked, took]
        if took:
            self.committed += bodies
        return CommitUnknownError("one", Written(0, 0, len(bodies), 0))


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database()

    async def prepared(_connection: FakeConnection) -> None:
        """Nothing to prepare."""

    monkeypatch.setattr(module, "write", database.write)
    monkeypatch.setattr(module, "committed", database.status)
    monkeypatch.setattr(module, "end_sessions", database.end)
    monkeypatch.setattr(module, "prepare_connection", prepared)
    monkeypatch.setattr(module, "_ASK_AGAIN_S", 0)
    return database


def parse(_topic: str, body: bytes, _now: datetime) -> Sequence[Any]:
    if body == b"defect":
        raise KeyError("a defect of the parser")
    if body.startswith(b"uplink "):
        return [Uplink(dev_eui=body[7:].decode(), received_at=NOW, deduplication_id="")]
    raise MessageError(BAD_FIELD, "kept in quarantine, where this test finds it")


@pytest.fixture
def known() -> Known:
    known = Known()
    known.sources = {"source": 1}
    return known


@pytest.fixture
def writer(database: Database, known: Known) -> Writer:
    return Writer(
        database.connect,
        known=known,
        servers=cast("Any", {"fake": SimpleNamespace(NAME="fake", TOPICS=(), parse=parse)}),
        registry=Registry([]),
        codecs=Codecs(),
        clock=lambda: NOW,
        worker="worker",
    )


def messages(*bodies: bytes) -> list[Message]:
    origin = Origin("source", "fake", lambda _tokens: None)
    return [Message(origin, 0, "t", body, len(body), NOW) for body in bodies]


def letters(count: int) -> list[bytes]:
    return [bytes([65 + number]) for number in range(count)]


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DataError("a value"),
        asyncpg.CheckViolationError("a check"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogate"),
        OverflowError("a date"),
        TypeError("None < 3"),
        KeyError("a name"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("place", [0, 5, 10])
async def test_poison_is_set_aside_and_its_neighbours_are_stored(
    writer: Writer, database: Database, place: int, error: Exception
) -> None:
    def fails(bodies: list[bytes], _number: int) -> None:
        if b"poison" in bodies:
            raise error

    database.fails = fails
    bodies = letters(10)
    bodies.insert(place, b"poison")
    assert await writer.store(messages(*bodies)) == Written(0, 0, 11, 0)
    assert sorted(database.committed) == sorted(bodies)
    assert len(database.connections) == 1


async def test_a_defect_of_a_parser_costs_its_message_alone(writer: Writer, database: Database) -> None:
    bodies = [b"defect", *letters(5), b"defect", b"defect"]
    assert await writer.store(messages(*bodies)) == Written(0, 0, 8, 0)
    assert sorted(database.committed) == sorted(bodies)


async def test_poison_everywhere_ends(writer: Writer, database: Database) -> None:
    def fails(_bodies: list[bytes], _number: int) -> None:
        raise asyncpg.DataError("every time")

    database.fails = fails
    assert await writer.store(messages(*letters(7))) == Written(0, 0, 7, 0)
    with pytest.raises(StoreUnavailableError):
        await writer.store([])


async def test_a_batch_is_packed_in_parts_between_which_others_have_their_turn(
    writer: Writer, database: Database
) -> None:
    bodies = [b"%d" % number for number in range(7 * 100 + 1)]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    assert await writer.store(messages(*bodies)) == Written(0, 0, len(bodies), 0)
    other.cancel()
    assert turns >= 7
    assert database.committed == bodies  # in one transaction, in their order
    assert database.transactions == 1


async def test_a_device_that_is_changed_while_others_are_looked_up_is_looked_up_again(
    writer: Writer, known: Known, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def refresh(_connection: object, known: Known, dev_euis: Sequence[str], _now: datetime) -> None:
        asked.append(sorted(dev_euis))
        known.devices.update((eui, Device(int(eui), 1, None)) for eui in dev_euis)
        if len(asked) == 1:
            known.forget("1")  # as when its owner has just renamed it

    monkeypatch.setattr("store.known.refresh_devices", refresh)
    known.devices["1"] = Device(1, 1, None)
    assert await writer.store(messages(b"uplink 1", b"uplink 2")) == Written(2, 0, 0, 0)
    assert asked == [["2"], ["1"]]
    assert database.devices == [1, 2]


@pytest.mark.parametrize("took", [True, False])
@pytest.mark.parametrize("asked", [0, 3])
async def test_a_commit_that_nobody_heard_of_is_asked_about(
    writer: Writer,
    database: Database,
    took: bool,  # noqa: FBT001 - a case of the test
    asked: int,
) -> None:
    def fails(bodies: list[bytes], number: int) -> None:
        if number == 1:
            raise database.commit_unknown(bodies, took=took, asked=asked)

    database.fails = fails
    assert await writer.store(messages(*letters(4))) == Written(0, 0, 4, 0)
    assert database.committed == letters(4)  # once
    assert database.statuses == {"one": []}
    assert [connection.is_terminated for connection in database.connections] == [True, False]


@pytest.mark.parametrize("took", [True, False])
@pytest.mark.parametrize("half", [2, 3, 4, 5])
async def test_a_commit_unknown_while_halving_concerns_its_part_alone(
    writer: Writer,
    database: Database,
    half: int,
    took: bool,  # noqa: FBT001 - a case of the test
) -> None:
    """The connection dies during the COMMIT of one part: the other parts are still to be stored."""

    def fails(bodies: list[bytes], number: int) -> None:
        if b"poison" in bodies:
            raise asyncpg.DataError("a value")
        if number == half:
            raise database.commit_unknown(bodies, took=took)

    database.fails = fails
    bodies = [*letters(4), b"poison", *letters(7)[4:]]
    assert await writer.store(messages(*bodies)) == Written(0, 0, 8, 0)
    assert sorted(database.committed) == sorted(bodies)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.AdminShutdownError("terminating"),
        asyncpg.DiskFullError("no space"),
        asyncpg.UndefinedTableError("no such table"),
        asyncpg.UniqueViolationError("a defect, but no reason to lose the message"),
        asyncpg.InternalClientError("out of step"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_store_that_fails_is_told_and_another_connection_made(
    writer: Writer, database: Database, error: Exception
) -> None:
    def fails(_bodies: list[bytes], number: int) -> None:
        if number == 1:
            raise error

    database.fails = fails
    with pytest.raises(StoreUnavailableError, match=type(error).__name__):
        await writer.store(messages(b"A", b"B"))
    assert database.connections[0].is_terminated
    await writer.store(messages(b"A", b"B"))
    assert database.committed == [b"A", b"B"]
    assert len(database.connections) == 2
    assert database.ended == [database.connections[0].pid]  # the server might still hold its locks


async def test_who_gives_up_waiting_leaves_no_connection_in_doubt(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def hang(*_args: Any, **_options: Any) -> Written:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(module, "write", hang)
        storing = asyncio.create_task(writer.store(messages(b"A")))
        await asked.wait()
        storing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await storing
    assert database.connections[0].is_terminated
    assert await writer.store(messages(b"A")) == Written(0, 0, 1, 0)
