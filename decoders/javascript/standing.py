"""What a codec has shown of itself, and what follows from it. Pure; the clock is an argument.

A codec starts on probation, in the lane of the slow, and earns its place in the lane of the quick by clean calls
in a row; one slow or stopped call sends it back. So a hostile script delays other newcomers, never those whose
codecs are known. One that was trusted and had to be stopped earns trust again ten times as slowly, each time: to
behave well in order to be let in does not pay. On probation it has a budget of CPU time that fills up again slowly,
and so has its tenant: many hostile scripts have little more than one. After three kills, or thirty calls in a row
that had to be stopped, it is put away.
"""

from typing import Final, Literal

from decoders.javascript.calls import Status

Lane = Literal["quick", "slow"]

CLEAN_CALLS: Final = 20
SLOW_CALL_US: Final = 5_000
BUDGET_US: Final = 500_000
BUDGET_US_PER_S: Final = 50_000
TENANT_BUDGET_US: Final = 1_000_000
TENANT_BUDGET_US_PER_S: Final = 100_000
MAX_KILLS: Final = 3
MAX_STOPPED: Final = 30  # calls in a row: what does nothing but reach its limits is put away as well
DISTRUST: Final = 10  # by so much more calls trust is earned again, each time that it was betrayed
_MOST_CALLS: Final = CLEAN_CALLS * DISTRUST**6
_THROWN_COSTS: Final = 5  # clean calls: what throws is loaded again, which a malformed frame now and then may cost
_FIRST_GUESS_US: Final = 1_000.0
_STOPPED: Final[frozenset[Status]] = frozenset({"timeout", "memory", "killed", "unloadable"})


class Budget:
    """CPU time that may be used, at most `most_us`, filling up by `us_per_s`."""

    __slots__ = ("_at_s", "_left_us", "_most_us", "_us_per_s")

    def __init__(self, now_s: float, most_us: int = BUDGET_US, us_per_s: int = BUDGET_US_PER_S) -> None:
        self._most_us = most_us
        self._us_per_s = us_per_s
        self._left_us = float(most_us)
        self._at_s = now_s

    def left(self, now_s: float) -> bool:
        """Say whether there is any left."""
        self._left_us = min(self._most_us, self._left_us + (now_s - self._at_s) * self._us_per_s)
        self._at_s = now_s
        return self._left_us > 0

    def spend(self, cpu_us: int) -> None:
        """Take what was used, even if it is more than was left."""
        self._left_us -= cpu_us


class Standing:
    """The standing of one codec version with one tenant. Mutable, owned by the pool."""

    __slots__ = ("_budgets", "_clean", "_needed", "kills", "mean_us", "stopped")

    def __init__(self, now_s: float, tenant_budget: Budget | None = None, kills: int = 0) -> None:
        self.kills = kills
        self.mean_us = _FIRST_GUESS_US  # of a call, moving
        self.stopped = 0  # calls in a row
        self._clean = 0
        self._needed = CLEAN_CALLS
        self._budgets = (Budget(now_s), tenant_budget or Budget(now_s, TENANT_BUDGET_US, TENANT_BUDGET_US_PER_S))

    @property
    def quarantined(self) -> bool:
        """Whether it is no longer run."""
        return self.kills >= MAX_KILLS or self.stopped >= MAX_STOPPED

    @property
    def lane(self) -> Lane:
        """The lane of its next call."""
        return "quick" if self._clean >= self._needed else "slow"

    def refusal(self, now_s: float) -> Status | None:
        """Return why its next call is not run, None when it is."""
        if self.quarantined:
            return "quarantined"
        if self.lane == "quick":
            return None
        return None if all(budget.left(now_s) for budget in self._budgets) else "over_budget"

    def settle(self, status: Status, cpu_us: int) -> None:
        """Take note of a call."""
        self.mean_us += (cpu_us - self.mean_us) / 8
        if self.lane == "slow":
            for budget in self._budgets:
                budget.spend(cpu_us)
        if status == "killed":
            self.kills += 1
        self.stopped = self.stopped + 1 if status in _STOPPED else 0
        if status in _STOPPED:
            if self.lane == "quick":
                self._needed = min(self._needed * DISTRUST, _MOST_CALLS)
            self._clean = 0
        elif cpu_us > SLOW_CALL_US:
            self._clean = 0 if self.lane == "quick" else self._clean
        elif status == "thrown":
            self._clean = max(0, self._clean - _THROWN_COSTS)
        else:
            self._clean = min(2 * self._needed, self._clean + 1)
