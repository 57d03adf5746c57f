"""What a codec has shown of itself, and what follows from it. Pure; the clock is an argument.

A codec starts on probation, in the lane of the slow, and earns its place in the lane of the quick by clean calls
in a row; one slow or stopped call sends it back. So a hostile script delays other newcomers, never those whose
codecs are known. On probation it has a budget of CPU time that fills up again slowly.
"""

from typing import Final, Literal

from decoders.javascript.calls import Status

Lane = Literal["quick", "slow"]

CLEAN_CALLS: Final = 20
SLOW_CALL_US: Final = 5_000
BUDGET_US: Final = 500_000
BUDGET_US_PER_S: Final = 100_000
MAX_KILLS: Final = 3
_MOST_CLEAN: Final = 2 * CLEAN_CALLS
_THROWN_COSTS: Final = 5  # clean calls: what throws is loaded again, which a malformed frame now and then may cost
_FIRST_GUESS_US: Final = 1_000.0
_STOPPED: Final[frozenset[Status]] = frozenset({"timeout", "memory", "killed", "unloadable"})


class Standing:
    """The standing of one codec version with one tenant. Mutable, owned by the pool."""

    __slots__ = ("_budget_us", "_clean", "_filled_at_s", "kills", "mean_us")

    def __init__(self, now_s: float, kills: int = 0) -> None:
        self.kills = kills
        self.mean_us = _FIRST_GUESS_US  # of a call, moving
        self._clean = 0
        self._budget_us = float(BUDGET_US)
        self._filled_at_s = now_s

    @property
    def quarantined(self) -> bool:
        """Whether it is no longer run."""
        return self.kills >= MAX_KILLS

    @property
    def lane(self) -> Lane:
        """The lane of its next call."""
        return "quick" if self._clean >= CLEAN_CALLS else "slow"

    def refusal(self, now_s: float) -> Status | None:
        """Return why its next call is not run, None when it is."""
        if self.quarantined:
            return "quarantined"
        if self.lane == "quick":
            return None
        filled_us = (now_s - self._filled_at_s) * BUDGET_US_PER_S
        self._budget_us = min(BUDGET_US, self._budget_us + filled_us)
        self._filled_at_s = now_s
        return None if self._budget_us > 0 else "over_budget"

    def settle(self, status: Status, cpu_us: int) -> None:
        """Take note of a call."""
        self.mean_us += (cpu_us - self.mean_us) / 8
        self._budget_us -= cpu_us
        if status == "killed":
            self.kills += 1
        if status in _STOPPED or cpu_us > SLOW_CALL_US:
            self._clean = 0 if status in _STOPPED or self.lane == "quick" else self._clean
        elif status == "thrown":
            self._clean = max(0, self._clean - _THROWN_COSTS)
        else:
            self._clean = min(_MOST_CLEAN, self._clean + 1)
