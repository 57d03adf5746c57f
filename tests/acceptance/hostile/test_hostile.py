"""Every script in `scripts/` is contained, and the neighbours' decoding goes on.

A script's head says what may become of its calls (`expect`), how often it is called (`calls`, once unless said),
and the answer of each call (`answer`).
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from decoders.javascript.calls import Codec, CodecCall, Limits
from decoders.javascript.pool import CodecPool

SCRIPTS = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "scripts").glob("*.js"))
}
LIMITS = Limits()
RECEIVED = datetime.fromtimestamp(1_700_000_000, UTC)
PAYLOAD = bytes([1, 2, 3, 4])
NEIGHBOUR = Codec.of("function decodeUplink(input) { return { data: { sum: input.bytes.reduce((a, b) => a + b) } }; }")
HOSTILE_TENANTS = itertools.count(666)  # each attack is of another, whose CPU time is not used up
TRIES = 4
CALIBRATED_S = 0.01
GRACE_S = 0.250


def call(tenant_id: int, codec: Codec) -> CodecCall:
    return CodecCall(tenant_id, codec, PAYLOAD, 1, RECEIVED)


@pytest.fixture(scope="module")
async def attacked() -> AsyncIterator[CodecPool]:
    async with CodecPool(workers=1) as pool:
        yield pool


@pytest.fixture
async def pool(attacked: CodecPool) -> CodecPool:
    """Its worker runs, whatever the script before did to it."""
    (result,) = await attacked.decode([call(1, NEIGHBOUR)])
    assert result.data == {"sum": 10}
    return attacked


def test_there_are_at_least_forty() -> None:
    assert len(SCRIPTS) >= 40


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_hostile_script_is_contained(pool: CodecPool, script: str) -> None:
    """Limits are of CPU time. A busy machine gives it late: by how much is measured, and another try may show it."""
    within_s = LIMITS.load_cpu_s + LIMITS.decode_cpu_s + GRACE_S
    for tenant_id in itertools.islice(HOSTILE_TENANTS, TRIES):
        slowness = clock_per_cpu()
        took_s = await longest_call_s(pool, tenant_id, SCRIPTS[script])
        if took_s <= within_s * max(1.0, slowness, clock_per_cpu()):
            return
    pytest.fail(f"{took_s:.3f} s, {within_s:.3f} s at most")


def clock_per_cpu() -> float:
    """Return how long this machine takes now to give a second of CPU, in seconds."""
    began, cpu_began = time.perf_counter(), time.process_time()
    while time.process_time() - cpu_began < CALIBRATED_S:
        pass
    return (time.perf_counter() - began) / (time.process_time() - cpu_began)


async def longest_call_s(pool: CodecPool, tenant_id: int, source: str) -> float:
    head = dict(re.findall(r"^// (expect|calls|answer): (.*)$", source, re.MULTILINE))
    loop = asyncio.get_running_loop()
    longest_s = 0.0
    for _ in range(int(head.get("calls", "1"))):
        began = loop.time()
        (result,) = await pool.decode([call(tenant_id, Codec.of(source))])
        longest_s = max(longest_s, loop.time() - began)
        assert result.status in head["expect"].split(), result
        if "answer" in head:
            assert result.data == json.loads(head["answer"])
    return longest_s


@pytest.mark.parametrize("script", SCRIPTS)
async def test_no_neighbour_fails(pool: CodecPool, script: str) -> None:
    hostile = Codec.of(SCRIPTS[script])
    calls = [call(tenant, NEIGHBOUR) for tenant in range(1, 20)]
    results = await pool.decode([*calls[:10], call(next(HOSTILE_TENANTS), hostile), *calls[10:]])
    assert [result.data for result in (*results[:10], *results[11:])] == [{"sum": 10}] * len(calls)


async def test_who_is_proven_never_waits_for_who_is_not() -> None:
    """Of two calls made at once, that of the proven neighbour is answered while the hostile one still runs."""
    async with CodecPool() as pool:
        for _ in range(3):
            await pool.decode([call(1, NEIGHBOUR)] * 20)
        hostile = [Codec.of(SCRIPTS[name]) for name in ("loop-forever", "sort-in-native-code", "memory-nested")]
        for codec in hostile * 2:
            attacking = asyncio.create_task(pool.decode([call(666, codec)]))
            await asyncio.sleep(0)
            results = await pool.decode([call(1, NEIGHBOUR)] * 20)
            assert not attacking.done()
            assert {result.status for result in results} == {"data"}
            await attacking
