"""What decoding again found, counted so that the counts of portions add up."""

from collections import Counter
from datetime import datetime
from typing import Final, NamedTuple

SAMPLES: Final = 2  # kept of each (quantity, kind of change)

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
KEPT: Final = "kept"

Change = tuple[int, str]  # quantity_id, and ADDED, REMOVED, CHANGED or KEPT


class Sample(NamedTuple):
    """One reading before and after; None where there is none."""

    device_id: int
    quantity_id: int
    channel: int
    measured_at: datetime
    before: float | None
    after: float | None


class Tally(NamedTuple):
    """What was found. `outcomes` counts uplinks by (before, after), `refused` readings by (quantity, reason)."""

    uplinks: int
    outcomes: Counter[tuple[str, str]]
    changes: Counter[Change]
    refused: Counter[tuple[str, str]]
    samples: dict[Change, list[Sample]]

    @classmethod
    def empty(cls) -> "Tally":
        """Return what nothing was found of."""
        return cls(0, Counter(), Counter(), Counter(), {})

    def readings(self, kind: str) -> int:
        """Return how many readings were added, removed, changed or kept."""
        return sum(count for (_, one), count in self.changes.items() if one == kind)

    @property
    def other_outcomes(self) -> int:
        """How many uplinks have another outcome now."""
        return sum(count for (before, after), count in self.outcomes.items() if before != after)


def added(one: Tally, other: Tally) -> Tally:
    """Return the two as one, with the first samples of each kind."""
    samples = {kind: found[:SAMPLES] for kind, found in one.samples.items()}
    for kind, found in other.samples.items():
        samples[kind] = (samples.get(kind, []) + found)[:SAMPLES]
    return Tally(
        one.uplinks + other.uplinks,
        one.outcomes + other.outcomes,
        one.changes + other.changes,
        one.refused + other.refused,
        samples,
    )
