"""When a failed message is tried again. Pure."""

from datetime import datetime, timedelta
from typing import Final

FIRST: Final = timedelta(seconds=15)
LONGEST: Final = timedelta(hours=1)
GIVE_UP_AFTER: Final = timedelta(hours=24)


def next_attempt(attempts: int, created_at: datetime, retry_after_s: float | None, now: datetime) -> datetime | None:
    """Return when to try again after `attempts` failures (at least one), None when it is time to give up.

    The wait doubles, up to an hour; it is never shorter than what the other side asked for.
    """
    wait = min(FIRST * 2 ** min(attempts - 1, 20), LONGEST)
    if retry_after_s is not None:
        wait = max(wait, timedelta(seconds=retry_after_s))
    at = now + wait
    return None if at - created_at > GIVE_UP_AFTER else at
