"""What a counter's indexes say between two samples: how much, and how fast."""

from alerting.rules._base import BAD, GOOD, Detector, Figures, Memory
from domain.quantities import QUANTITIES
from store.reading.pieces import increase

HOUR_S = 3600.0


def is_counter(quantity: str) -> bool:
    """Say whether a quantity is an index that grows."""
    known = QUANTITIES.get(quantity)
    return known is not None and known.kind == "counter"


class Meter:
    """Follows a counter, or a flow that is measured as such, and tells the flow per hour since the last sample."""

    __slots__ = ("_counts", "at_s", "value")

    def __init__(self, quantity: str, memory: Memory | None) -> None:
        self._counts = is_counter(quantity)
        self.at_s: float | None = None
        self.value = 0.0
        if memory:
            self.at_s, self.value = memory

    def used(self, at_s: float, value: float) -> float | None:
        """Take a sample; return the increase since the one before, None for the first."""
        before_s, before = self.at_s, self.value
        self.at_s, self.value = at_s, value
        if before_s is None:
            return None
        if self._counts:
            return increase(before, value)
        return before * (at_s - before_s) / HOUR_S

    def per_hour(self, at_s: float, value: float) -> float | None:
        """Take a sample; return the flow per hour: of the time since the one before, None for the first index."""
        if not self._counts:
            self.at_s, self.value = at_s, value
            return value
        before_s = self.at_s
        used = self.used(at_s, value)
        return None if used is None or before_s is None else used * HOUR_S / (at_s - before_s)

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self.at_s, self.value]


class FlowDetector(Detector):
    """Says of each interval between two samples whether the flow was above a level, or at most another."""

    __slots__ = ("_above", "_at_most", "_code", "_flow", "_meter")

    def __init__(
        self,
        code: str,
        quantity: str,
        memory: Memory | None,
        *,
        above: float | None = None,
        at_most: float | None = None,
    ) -> None:
        super().__init__()
        self._code, self._above, self._at_most = code, above, at_most
        self._meter = Meter(quantity, memory[0] if memory else None)
        self._flow: float | None = memory[1] if memory else None

    def observe(self, series: int, at_s: float, value: float) -> int:
        """Judge what flowed since the last sample."""
        del series
        self._flow = self._meter.per_hour(at_s, value)
        if self._flow is None:
            return GOOD
        if self._above is not None:
            return BAD if self._flow > self._above else GOOD
        return BAD if self._at_most is not None and self._flow <= self._at_most else GOOD

    def figures(self) -> Figures:
        """Return the flow per hour."""
        return {"code": self._code, "value": self._flow}

    def dump(self) -> Memory:
        """Return what has to be remembered."""
        return [self._meter.dump(), self._flow]
