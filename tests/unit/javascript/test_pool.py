"""Kills, quarantine and what the neighbours see of them."""

import asyncio
import itertools
import os
import signal
from datetime import UTC, datetime

import pytest

from decoders.javascript import server
from decoders.javascript.calls import Codec, CodecCall, Limits, Quarantine
from decoders.javascript.output import result_of
from decoders.javascript.pool import CodecPool
from decoders.javascript.process import WorkerProcess, WorkerStartError
from decoders.javascript.standing import MAX_STOPPED
from decoders.javascript.wire import Answer

RECEIVED = datetime(2024, 1, 1, tzinfo=UTC)
GOOD = Codec.of("function decodeUplink(input) { return { data: { p: input.fPort } } }")
STUCK = Codec.of('function decodeUplink() { const t = "a".repeat(1 << 20); t.indexOf("a".repeat(1 << 19) + "b") }')


def call(codec: Codec, tenant_id: int = 1, f_port: int = 1) -> CodecCall:
    return CodecCall(tenant_id, codec, b"\1", f_port, RECEIVED)


@pytest.mark.parametrize("workers", [1, 2])
async def test_three_kills_quarantine_one_codec_of_one_tenant(workers: int) -> None:
    told: list[Quarantine] = []
    async with CodecPool(workers=workers, on_quarantine=told.append) as pool:
        for expected in ("killed", "killed", "killed", "quarantined"):
            results = await pool.decode([call(GOOD, 1, 5), call(STUCK, 2), call(GOOD, 3, 6)])
            assert [one.status for one in results] == ["data", expected, "data"]
            assert [results[0].data, results[2].data] == [{"p": 5}, {"p": 6}]
        assert [(one.tenant_id, one.sha256, one.kills) for one in told] == [(2, STUCK.sha256, 3)]
        assert pool.kills == 3
        assert [one.status for one in await pool.decode([call(STUCK, 9)])] == ["killed"]
        pool.release(2, STUCK.sha256)
        assert [one.status for one in await pool.decode([call(STUCK, 2)])] == ["killed"]


async def test_what_always_reaches_its_limits_is_told_once() -> None:
    told: list[Quarantine] = []
    endless = Codec.of("function decodeUplink() { for (;;); }")
    moments = itertools.count(0, 100)
    async with CodecPool(workers=1, on_quarantine=told.append, clock=lambda: float(next(moments))) as pool:
        statuses = [one.status for _ in range(40) for one in await pool.decode([call(endless)])]
    assert statuses == ["timeout"] * MAX_STOPPED + ["quarantined"] * (40 - MAX_STOPPED)
    assert [(one.kills, one.detail.partition(";")[0]) for one in told] == [(0, "stopped 30 times in a row")]


async def test_a_quarantine_outlives_the_pool() -> None:
    async with CodecPool(workers=1, quarantined=[(2, GOOD.sha256)]) as pool:
        results = await pool.decode([call(GOOD, 2), call(GOOD, 1)])
        assert [one.status for one in results] == ["quarantined", "data"]


async def test_a_budget_refuses_at_once() -> None:
    slow = Codec.of("function decodeUplink() { for (;;); }")
    async with CodecPool(workers=1, clock=lambda: 0.0) as pool:
        results = [one for _ in range(12) for one in await pool.decode([call(slow)])]
    assert {one.status for one in results} == {"timeout", "over_budget"}
    assert results[-1].status == "over_budget"


async def test_a_worker_killed_from_outside_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[WorkerProcess] = []
    real = WorkerProcess.start

    async def start(limits: Limits, *, niceness: int) -> WorkerProcess:
        started.append(await real(limits, niceness=niceness))
        return started[-1]

    monkeypatch.setattr(server.WorkerProcess, "start", start)
    async with CodecPool(workers=1) as pool:
        await pool.decode([call(GOOD)])
        os.kill(started[0].pid, signal.SIGKILL)
        assert [one.status for one in await pool.decode([call(GOOD)] * 3)] == ["data"] * 3
        assert len(started) == 2
        assert pool.kills == 0


async def test_a_stopped_worker_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decoders.javascript.process._STARVED_S", 0.2)
    worker = await WorkerProcess.start(Limits())
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(server.WorkerDiedError) as caught:
        await worker.exchange([call(GOOD)])
    assert caught.value.place is None
    assert caught.value.starved
    await worker.end()


async def test_no_worker_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real = WorkerProcess.start
    tries: list[int] = []

    async def start(limits: Limits, *, niceness: int) -> WorkerProcess:
        tries.append(niceness)
        if len(tries) == 1:
            raise WorkerStartError("no more processes")
        return await real(limits, niceness=niceness)

    monkeypatch.setattr(server.WorkerProcess, "start", start)
    monkeypatch.setattr(server, "_START_AGAIN_S", 0.0)
    async with CodecPool(workers=1) as pool:
        (first,) = await pool.decode([call(GOOD)])
        assert (first.status, first.detail) == ("unavailable", "no more processes")
        assert [one.status for one in await pool.decode([call(GOOD)])] == ["data"]


async def test_many_callers_at_once_each_get_their_own() -> None:
    async with CodecPool() as pool:
        asked = [[call(GOOD, tenant, port) for port in range(1, 60)] for tenant in range(20)]
        answers = await asyncio.gather(*map(pool.decode, asked))
    for results in answers:
        assert [one.data for one in results] == [{"p": port} for port in range(1, 60)]


async def test_what_is_late_is_given_up_and_not_run_later() -> None:
    slow = Codec.of(
        "function decodeUplink() { const end = Date.now() + 30; while (Date.now() < end); return {data: {}}; }"
    )
    async with CodecPool(workers=1) as pool:
        await pool.decode([call(GOOD)])
        results = await pool.decode([call(slow)] * 300, within_s=0.2)
        assert {(one.status, one.detail[:19]) for one in results[100:]} == {("unavailable", "not decoded in time")}
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert [one.status for one in await pool.decode([call(GOOD, 2)])] == ["data"]
        assert loop.time() - began < 2  # a batch may be on its way; 200 calls of 30 ms may not


async def test_a_defect_of_ours_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise TypeError("a defect")

    async with CodecPool(workers=1) as pool:
        monkeypatch.setattr(server.Server, "run", broken)
        with pytest.raises(TypeError, match="a defect"):
            await pool.decode([call(GOOD)])


async def test_nothing_asked_nothing_answered() -> None:
    async with CodecPool() as pool:
        assert await pool.decode([]) == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"data":{"x":1}}', "data"),
        ("[" * 60_000, "thrown"),
        ('{"data":' + "[" * 30_000 + "]" * 30_000 + "}", "thrown"),
        ('{"data":{"x":"\\ud800"}}', "thrown"),
        ("nonsense", "thrown"),
        ('{"data":3}', "thrown"),
        ('{"data":{},"errors":{"a":1}}', "refused"),
        ('{"data":"' + "x" * 70_000 + '"}', "too_large"),
        ('{"data":{"x":1e999}}', "thrown"),
    ],
)
def test_an_answer_is_read_with_distrust(text: str, status: str) -> None:
    assert result_of(Answer("data", text, 1), Limits()).status == status


def test_a_worker_cannot_quarantine_by_word() -> None:
    assert result_of(Answer("quarantined", "", 1), Limits()).status == "thrown"
