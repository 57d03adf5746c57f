"""The pipeline between writers that do as they are told and a real spool."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from domain.errors import StoreUnavailableError
from ingest.intake import IntakeClosedError
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.pipeline import Pipeline
from ingest.settings import IngestSettings
from ingest.spool import Spool, Spooled
from ingest.writer import Writer
from store.writing import Written

ARRIVED = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


class FakeWriter:
    """Stores when `gate` is open; fails while `failure` is set; keeps what it was asked and what it stored."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.stored: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def store(self, messages: Sequence[Message]) -> Written:
        bodies = [message.body for message in messages]
        self.asked.append(bodies)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.stored += bodies
        return Written(len(bodies), 0, 0, 0)


class Rig:
    """A pipeline and all that it touches."""

    def __init__(self, folder: Path, *, writers: int = 1, spool_max_bytes: int = 1 << 20, **settings: Any) -> None:
        self.registry = CollectorRegistry()
        self.writers = [FakeWriter() for _ in range(writers)]
        self.drainer = FakeWriter()
        self.spool = Spool(folder / "spool", max_bytes=spool_max_bytes)
        self.acknowledged: list[int] = []
        self.rooms = 0
        self.pipeline = Pipeline(
            IngestSettings(**({"max_linger_ms": 1, "max_batch": 10} | settings)),
            writers=cast("list[Writer]", self.writers),
            drainer=cast("Writer", self.drainer),
            spool=self.spool,
            metrics=IngestMetrics(self.registry),
            clock=lambda: ARRIVED,
        )
        self.pipeline.on_room(self._room)
        self.origin = Origin("source", "fake", self.acknowledged.extend)

    def _room(self) -> None:
        self.rooms += 1

    def offer(self, *tokens: int) -> None:
        self.pipeline.offer([self.message(token) for token in tokens])

    def message(self, token: int) -> Message:
        body = str(token).encode()
        return Message(self.origin, token, "t", body, len(body), ARRIVED)

    def fail(self, failure: Exception | None) -> None:
        for writer in (*self.writers, self.drainer):
            writer.failure = failure

    def metric(self, name: str) -> float:
        value = self.registry.get_sample_value(f"samara_{name}")
        assert value is not None, name
        return value


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    task = asyncio.create_task(rig.pipeline.run())
    try:
        yield rig
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        rig.pipeline.close()


@asynccontextmanager
async def pipeline(folder: Path, **options: Any) -> AsyncIterator[Rig]:
    async with running(Rig(folder, **options)) as rig:
        yield rig


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)


async def turns(count: int = 50) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pipeline._BACKOFF_S", (0.001,))
    monkeypatch.setattr("ingest.pipeline._FULL_AGAIN_S", 0.001)


def bodies(*tokens: int) -> list[bytes]:
    return [str(token).encode() for token in tokens]


def down() -> StoreUnavailableError:
    return StoreUnavailableError("no answer")


# --- batches and acknowledgements --------------------------------------------------------------------------------


async def test_batches_are_bounded_in_order_and_acknowledged_after_storing(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        (writer,) = rig.writers
        writer.gate.clear()
        rig.offer(*range(25))
        await until(lambda: writer.asked)
        await turns()
        assert rig.acknowledged == []
        writer.gate.set()
        await until(lambda: len(rig.acknowledged) == 25)
        assert [len(batch) for batch in writer.asked] == [10, 10, 5]
        assert rig.acknowledged == list(range(25))
        assert writer.stored == bodies(*range(25))
        assert rig.metric("held_messages") == 0


async def test_what_comes_while_gathering_joins_the_batch(tmp_path: Path) -> None:
    async with pipeline(tmp_path, max_linger_ms=5) as rig:
        for token in range(3):
            rig.offer(token)
            await asyncio.sleep(0)
        await until(lambda: len(rig.acknowledged) == 3)
        assert rig.writers[0].asked == [bodies(0, 1, 2)]


async def test_acknowledgements_keep_the_order_of_receipt_whoever_is_faster(tmp_path: Path) -> None:
    async with pipeline(tmp_path, writers=3) as rig:
        for writer in rig.writers:
            writer.gate.clear()
        rig.offer(*range(30))
        await until(lambda: all(writer.asked for writer in rig.writers))
        first, second, third = sorted(rig.writers, key=lambda writer: int(writer.asked[0][0]))
        third.gate.set()
        await until(lambda: third.stored)
        await turns()
        assert rig.acknowledged == []
        first.gate.set()
        await until(lambda: rig.acknowledged)
        assert rig.acknowledged == list(range(10))
        second.gate.set()
        await until(lambda: len(rig.acknowledged) == 30)
        assert rig.acknowledged == list(range(30))


async def test_each_origin_hears_of_its_own_messages(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        calls: list[tuple[str, list[int]]] = []
        one, two = (
            Origin(name, "fake", lambda tokens, name=name: calls.append((name, list(tokens))))
            for name in ("one", "two")
        )
        messages = [Message(origin, token, "t", b"", 0, ARRIVED) for token, origin in enumerate([one, one, two, one])]
        rig.pipeline.offer(messages)
        await until(lambda: len(calls) == 3)
        assert calls == [("one", [0, 1]), ("two", [2]), ("one", [3])]


# --- bounds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bound", [{"max_unacknowledged": 12}, {"max_unacknowledged_bytes": 14}], ids=lambda b: next(iter(b))
)
async def test_full_until_something_is_durable(tmp_path: Path, bound: dict[str, int]) -> None:
    async with pipeline(tmp_path, max_batch=4, **bound) as rig:
        (writer,) = rig.writers
        writer.gate.clear()
        rig.offer(*range(11))  # 12 bytes
        assert not rig.pipeline.is_full
        rig.offer(11)
        assert rig.pipeline.is_full
        with pytest.raises(IntakeClosedError):
            await rig.pipeline.deliver("source", "fake", "t", b"")
        assert rig.rooms == 0
        writer.gate.set()
        await until(lambda: len(rig.acknowledged) == 12)
        assert not rig.pipeline.is_full
        assert rig.rooms == 1  # once, when there was room again


async def test_a_delivery_returns_when_durable(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        rig.writers[0].gate.clear()
        delivering = asyncio.create_task(rig.pipeline.deliver("source", "fake", "t", b"body"))
        given_up = asyncio.create_task(rig.pipeline.deliver("source", "fake", "t", b"given up"))
        await until(lambda: rig.writers[0].asked)
        given_up.cancel()
        await turns()
        assert not delivering.done()
        rig.writers[0].gate.set()
        await asyncio.wait_for(delivering, 5)
        assert rig.writers[0].stored == [b"body", b"given up"]


# --- the store is away -------------------------------------------------------------------------------------------


async def test_store_down_spools_acknowledges_and_drains_in_order(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        rig.fail(down())
        rig.offer(*range(10))
        await until(lambda: len(rig.acknowledged) == 10)
        assert rig.metric("store_up") == 0
        asked = len(rig.writers[0].asked)
        rig.offer(*range(10, 30))
        await until(lambda: len(rig.acknowledged) == 30)
        assert rig.acknowledged == list(range(30))
        assert len(rig.writers[0].asked) == asked  # it is the drain that finds out whether the store is there
        assert rig.metric("spooled_total") == 30
        assert rig.metric("spool_bytes") == rig.spool.size_bytes > 0

        rig.fail(None)
        await until(lambda: rig.spool.is_empty)
        assert rig.drainer.stored == bodies(*range(30))
        assert max(map(len, rig.drainer.asked)) <= 10
        await until(lambda: rig.metric("spool_bytes") == 0)
        assert rig.metric("store_up") == 1
        rig.offer(30)
        await until(lambda: len(rig.acknowledged) == 31)
        assert rig.writers[0].stored == bodies(30)


async def test_a_store_that_hangs_is_away(tmp_path: Path) -> None:
    async with pipeline(tmp_path, spool_after_s=0.005) as rig:
        rig.writers[0].gate.clear()
        rig.drainer.gate.clear()
        rig.offer(1, 2)
        await until(lambda: rig.acknowledged == [1, 2])
        rig.drainer.gate.set()
        await until(lambda: rig.drainer.stored == bodies(1, 2))


async def test_messages_come_out_of_the_spool_as_they_went_in(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        seen: list[Message] = []

        async def store(messages: Sequence[Message]) -> Written:
            seen.extend(messages)
            return Written(len(messages), 0, 0, 0)

        rig.writers[0].failure = down()
        rig.drainer.store = store  # type: ignore[method-assign]
        sent = Message(rig.origin, 7, "a/b", b"cut", 10_000_000, ARRIVED)
        rig.pipeline.offer([sent])
        await until(lambda: seen)
        (drained,) = seen
        assert drained[2:] == sent[2:]
        assert drained.origin[:2] == sent.origin[:2]
        drained.origin.acknowledge([7])
        assert rig.acknowledged == [7]  # once


async def test_what_an_earlier_process_spooled_is_drained_at_start(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=1000)
    spool.put([Spooled("source", "fake", "t", 1, b"1", ARRIVED), Spooled("source", "fake", "t", 1, b"2", ARRIVED)])
    spool.close()
    async with pipeline(tmp_path) as rig:
        await until(lambda: rig.drainer.stored == bodies(1, 2))
        await until(lambda: rig.spool.is_empty)


async def test_a_long_drain_does_not_hold_up_what_is_live(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        rig.fail(down())
        rig.offer(*range(20))
        await until(lambda: len(rig.acknowledged) == 20)
        rig.drainer.gate.clear()
        rig.fail(None)
        await until(lambda: len(rig.drainer.asked[-1]) == 10)  # the first of two
        rig.drainer.gate.set()
        await until(lambda: len(rig.drainer.stored) == 10)
        rig.drainer.gate.clear()
        rig.offer(*range(20, 40))
        await until(lambda: len(rig.acknowledged) == 40)
        assert rig.writers[0].stored == bodies(*range(20, 40))
        rig.drainer.gate.set()
        await until(lambda: rig.drainer.stored == bodies(*range(20)))


async def test_spool_full_stops_acknowledging_and_resumes_by_itself(tmp_path: Path) -> None:
    async with pipeline(tmp_path, spool_max_bytes=700, max_unacknowledged=30) as rig:
        rig.fail(down())
        rig.offer(*range(10))
        await until(lambda: len(rig.acknowledged) == 10)
        rig.offer(*range(10, 40))
        await until(lambda: rig.metric("spool_full") == 1)
        await turns(200)
        assert rig.acknowledged == list(range(10))
        assert rig.pipeline.is_full
        rig.fail(None)
        await until(lambda: len(rig.acknowledged) == 40)
        assert rig.acknowledged == list(range(40))
        assert rig.rooms == 1
        await until(lambda: rig.spool.is_empty)
        assert sorted(rig.writers[0].stored + rig.drainer.stored) == sorted(bodies(*range(40)))
        rig.offer(40)
        await until(lambda: rig.acknowledged[-1] == 40)
        assert rig.metric("spool_full") == 0


async def test_a_spool_that_cannot_be_read_does_not_stop_what_is_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pipeline(tmp_path) as rig:
        attempts = []

        def broken(**_bounds: int) -> Any:
            attempts.append(1)
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(rig.spool, "read", broken)
            rig.writers[0].failure = down()
            rig.offer(1)
            await until(lambda: len(attempts) > 2)
            assert rig.acknowledged == [1]
        rig.writers[0].failure = None
        await until(lambda: rig.drainer.stored == bodies(1))
        rig.offer(2)
        await until(lambda: rig.acknowledged == [1, 2])


async def test_damage_is_counted_once_however_often_the_store_refuses(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=1000)
    spool.put([Spooled("source", "fake", "t", 1, b"1", ARRIVED)])
    size = spool.size_bytes
    spool.put([Spooled("source", "fake", "t", 1, b"2", ARRIVED)])
    spool.close()
    (segment,) = (tmp_path / "spool").glob("*.spool")
    content = bytearray(segment.read_bytes())
    content[size - 1] ^= 1
    segment.write_bytes(content)
    rig = Rig(tmp_path)
    rig.fail(down())
    async with running(rig):
        await until(lambda: len(rig.drainer.asked) > 3)
        rig.fail(None)
        await until(lambda: rig.spool.is_empty)
        assert rig.drainer.stored == bodies(2)
        await until(lambda: rig.metric("spool_damaged_bytes_total"))
        assert rig.metric("spool_damaged_bytes_total") == size


# --- the end -----------------------------------------------------------------------------------------------------


async def test_stop_waits_for_what_is_held_and_takes_no_more(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        rig.writers[0].gate.clear()
        rig.offer(1)
        await until(lambda: rig.writers[0].asked)
        stopping = asyncio.create_task(rig.pipeline.stop(5))
        await turns()
        assert not stopping.done()
        with pytest.raises(IntakeClosedError):
            await rig.pipeline.deliver("source", "fake", "t", b"")
        rig.writers[0].gate.set()
        await asyncio.wait_for(stopping, 5)
        assert rig.acknowledged == [1]


async def test_stop_does_not_wait_for_ever_and_acknowledges_nothing_more(tmp_path: Path) -> None:
    async with pipeline(tmp_path) as rig:
        rig.writers[0].gate.clear()
        rig.offer(1)
        await rig.pipeline.stop(0.005)
    assert rig.acknowledged == []


async def test_a_defect_ends_the_process_rather_than_acknowledge(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.writers[0].failure = NotImplementedError("a defect")
    rig.offer(1)
    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(rig.pipeline.run(), 5)
    rig.pipeline.close()
    assert rig.acknowledged == []
