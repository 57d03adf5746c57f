"""What the machine is like at the moment: its load, and how fast one core of it is for Python."""

import json
import os
import time
from typing import Any, Final

_DOCUMENT: Final = json.dumps({"a": [{"b": number, "c": "x" * 20} for number in range(50)]})
_REPEATS: Final = 1_500


def index_ms() -> float:
    """Return the CPU time of fixed work, the least of five: 11 ms on the machine of docs/benchmarks.md at its best.

    On a shared host it doubles when others use the same core, also while this machine itself does nothing.
    """
    return min(_once() for _ in range(5)) * 1e3


def _once() -> float:
    began = time.process_time()
    for _ in range(_REPEATS):
        json.loads(_DOCUMENT)
    return time.process_time() - began


def state() -> dict[str, Any]:
    """Return what to say beside figures that are taken now."""
    return {"index_ms": round(index_ms(), 1), "load_before": round(os.getloadavg()[0], 1)}
