"""How the roles set the interpreter that they run in."""

import gc


def collect_cycles_seldom() -> None:
    """Look for cycles seldom: the ingest path makes many records and no cycles (docs/benchmarks.md)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
