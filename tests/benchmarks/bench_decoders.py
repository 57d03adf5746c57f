"""How long the native decoders take, dispatch included: python tests/benchmarks/bench_decoders.py

Every frame of the vectors that its decoder understands counts once; the figure is the mean over them, and the
five slowest are named. Historical frames carry dozens of readings each, so the time of one reading is given too.
It is CPU time, the best of five: what else the machine does counts as little as can be.
"""

import json
import sys
import time
from pathlib import Path
from typing import Final

from decoders.registry import Registry

VECTORS: Final = Path(__file__).parents[1] / "vectors" / "decoders"
ROUNDS: Final = 400
TIMES: Final = 5


def _took_us(registry: Registry, model_id: str, payload: bytes, f_port: int) -> float:
    start = time.process_time()
    for _ in range(ROUNDS):
        registry.decode(model_id, payload, f_port, None)
    return (time.process_time() - start) / ROUNDS * 1e6


def main() -> None:
    """Measure and print."""
    registry = Registry.load()
    timed: list[tuple[float, int, str]] = []
    for path in sorted(VECTORS.glob("*/*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        if "error" in vector:
            continue
        model_id, payload, f_port = path.parent.name, bytes.fromhex(vector["payload_hex"]), vector["f_port"]
        elapsed_us = min(_took_us(registry, model_id, payload, f_port) for _ in range(TIMES))
        timed.append((elapsed_us, len(vector["readings"]), f"{model_id}/{path.stem}"))
    frames, readings = len(timed), sum(count for _, count, _ in timed)
    total_us = sum(elapsed_us for elapsed_us, _, _ in timed)
    lines = [
        f"{total_us / frames:.2f} us a frame ({frames * 1e6 / total_us:,.0f} frames/s, {frames} frames)",
        f"{total_us / readings:.2f} us a reading ({readings} readings)",
        *(f"  {elapsed_us:7.2f} us  {count:3} readings  {name}" for elapsed_us, count, name in sorted(timed)[:-6:-1]),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
