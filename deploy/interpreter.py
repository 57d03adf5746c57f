"""How the roles set the interpreter that they run in."""

import gc
from typing import Final

# A batch of 2,000 uplinks is some 60,000 records alive at once, two or three batches are on their way, and records
# make no cycles: a lower number would walk them all in each batch, for nothing. It bounds what cycles may hold, too.
_RECORDS: Final = 300_000


def collect_cycles_seldom() -> None:
    """Look for cycles seldom (docs/benchmarks.md)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RECORDS, 20, 100)
