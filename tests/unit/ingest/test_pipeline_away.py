"""The pipeline while the store is away, or the spool full or broken, and when they are back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pipeline_rig import ARRIVED, Rig, bodies, down, pipeline, running, turns, until

from ingest.messages import Message
from ingest.spool import Spool, Spooled
from store.writing import Written

pytestmark = pytest.mark.usefixtures("impatient")


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
