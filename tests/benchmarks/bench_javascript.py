"""How fast JavaScript codecs are, and what a hostile one costs its neighbours.

    python tests/benchmarks/bench_javascript.py

Frames a second through one worker in batches; microseconds of the parent's own CPU a frame; and the 99th
percentile of a neighbour's small batches, alone and beside a tenant whose codecs loop, fill the heap and cannot
be interrupted: in many short alternate rounds, all rounds of a kind together, so that what else the machine does
falls on both. Three such measurements, since a percentile of a few thousand is itself uncertain: how much is shown by
the same rise between two halves of the rounds alone, which nothing should part.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from decoders.javascript.calls import Codec, CodecCall
from decoders.javascript.pool import CodecPool

ROUNDS: Final = 7
MEASUREMENTS: Final = 3
FRAMES: Final = 10_000
ASKS: Final = 100
TURNS: Final = 25
RECEIVED: Final = datetime(2024, 1, 1, tzinfo=UTC)
PAYLOAD: Final = bytes.fromhex("0100e202290400270506060308070d62")

# A type-length-value loop, the commonest shape of a vendor's codec.
TYPICAL: Final = Codec.of("""
function signed(value) { return value > 0x7fff ? value - 0x10000 : value; }
function decodeUplink(input) {
  var bytes = input.bytes, data = {}, i = 0;
  while (i < bytes.length) {
    switch (bytes[i++]) {
      case 1: data.temperature = signed((bytes[i] << 8) | bytes[i + 1]) / 10; i += 2; break;
      case 2: data.humidity = bytes[i]; i += 1; break;
      case 4: data.light = (bytes[i] << 8) | bytes[i + 1]; i += 2; break;
      case 5: data.motion = bytes[i]; i += 1; break;
      case 6: data.co2 = (bytes[i] << 8) | bytes[i + 1]; i += 2; break;
      case 7: data.battery = ((bytes[i] << 8) | bytes[i + 1]) / 1000; i += 2; break;
      default: return { errors: ["unknown type"] };
    }
  }
  return { data: data };
}
""")
HOSTILE: Final = tuple(
    Codec.of(f"function decodeUplink() {{ {body} }}")
    for body in (
        "for (;;);",
        "let t = 'x'; for (;;) t += t;",
        "const a = []; for (;;) a.push({});",
        'const t = "a".repeat(1 << 20); t.indexOf("a".repeat(1 << 19) + "b");',
        "throw 1;",
    )
)


async def throughput(pool: CodecPool) -> tuple[float, float]:
    """Return frames a second, and microseconds of this process's CPU a frame."""
    calls = [CodecCall(tenant % 20, TYPICAL, PAYLOAD, 5, RECEIVED) for tenant in range(FRAMES)]
    start, cpu = time.perf_counter(), time.process_time()
    results = await pool.decode(calls)
    assert all(result.status == "data" for result in results)
    return FRAMES / (time.perf_counter() - start), (time.process_time() - cpu) / FRAMES * 1e6


async def latencies_ms(pool: CodecPool) -> list[float]:
    """Return the time of each of a neighbour's small batches, sent every two milliseconds."""
    calls = [CodecCall(1, TYPICAL, PAYLOAD, 5, RECEIVED)] * 20
    seen = []
    for _ in range(ASKS):
        start = time.perf_counter()
        await pool.decode(calls)
        seen.append((time.perf_counter() - start) * 1e3)
        await asyncio.sleep(0.002)
    return seen


async def attack(pool: CodecPool) -> None:
    """Send hostile calls for ever."""
    while True:
        await pool.decode([CodecCall(666, codec, PAYLOAD, 5, RECEIVED) for codec in HOSTILE])
        await asyncio.sleep(0.01)


async def beside_attack(pool: CodecPool) -> list[float]:
    """Return the latencies while under attack."""
    attacking = asyncio.create_task(attack(pool))
    seen = await latencies_ms(pool)
    attacking.cancel()
    await asyncio.gather(attacking, return_exceptions=True)
    return seen


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def rise(before: Sequence[float], after: Sequence[float]) -> float:
    """Return by how much, in the median, the second of each pair is more than the first."""
    return statistics.median(then / now - 1 for now, then in zip(before, after, strict=True))


async def percentiles_ms() -> tuple[float, float, float]:
    """Return the 99th percentile alone, beside an attack, and alone again."""
    alone: list[float] = []
    beside: list[float] = []
    again: list[float] = []
    async with CodecPool() as pool:
        await throughput(pool)
        for _ in range(TURNS):
            alone += await latencies_ms(pool)
            beside += await beside_attack(pool)
            again += await latencies_ms(pool)
    return p99(alone), p99(beside), p99(again)


async def main() -> None:
    """Measure and print."""
    async with CodecPool(workers=1) as pool:
        await throughput(pool)
        measured = [await throughput(pool) for _ in range(ROUNDS)]
    frames_per_s, cpu_us = (statistics.median(column) for column in zip(*measured, strict=True))
    alone, beside, again = zip(*[await percentiles_ms() for _ in range(MEASUREMENTS)], strict=True)
    lines = (
        f"{frames_per_s:,.0f} frames/s through one worker in batches, {cpu_us:.1f} us of the parent's CPU a frame",
        f"p99 of a neighbour's 20 frames beside an attack: {rise(alone, beside):+.0%}",
        f"without one, from half to half: {rise(alone, again):+.0%} (medians of the measurements below, ms)",
        *(
            f"  {name:6} {' '.join(f'{value:.2f}' for value in values)}"
            for name, values in (("alone", alone), ("beside", beside), ("alone", again))
        ),
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
