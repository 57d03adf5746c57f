"""How often one may be wrong: after a few failures each further try waits, longer and longer.

Kept in this process: it forgets when it restarts, and M processes let M times as many tries pass. What is tried has far
more possibilities than that.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, NamedTuple

FORGOTTEN_AFTER: Final = timedelta(hours=1)
LONGEST: Final = timedelta(minutes=15)
_KEPT: Final = 50_000  # who failed longest ago is forgotten first


class Failures(NamedTuple):
    """How often somebody failed, and when last."""

    times: int
    last_at: datetime


def wait(failures: Failures, free: int, now: datetime) -> timedelta:
    """Return how long to wait before the next try: nothing for `free` failures, then 1 s, 2 s, 4 s … 15 minutes."""
    excess = failures.times - free
    if excess < 0 or now - failures.last_at >= FORGOTTEN_AFTER:
        return timedelta(0)
    pause = min(timedelta(seconds=2 ** min(excess, 20)), LONGEST)
    return max(failures.last_at + pause - now, timedelta(0))


class Limits:
    """Failures by subject: an e-mail, an address."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, Failures] = OrderedDict()

    def wait(self, subject: str, free: int, now: datetime) -> timedelta:
        """Return how long this subject has to wait."""
        failures = self._failures.get(subject)
        return timedelta(0) if failures is None else wait(failures, free, now)

    def failed(self, subject: str, now: datetime) -> None:
        """Count a failure."""
        known = self._failures.pop(subject, None)
        fresh = known is None or now - known.last_at >= FORGOTTEN_AFTER
        self._failures[subject] = Failures(1 if known is None or fresh else known.times + 1, now)
        while len(self._failures) > _KEPT:
            self._failures.popitem(last=False)

    def succeeded(self, subject: str) -> None:
        """Forget the failures of a subject."""
        self._failures.pop(subject, None)
