"""The pipeline: batches, bounds, acknowledgements, and the end."""

import asyncio
from pathlib import Path

import pytest
from pipeline_rig import ARRIVED, Rig, bodies, pipeline, turns, until

from ingest.intake import IntakeClosedError
from ingest.messages import Message, Origin

pytestmark = pytest.mark.usefixtures("impatient")


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
