"""Which hours of which devices a process has marked as changed, so that it marks each once.

A mark waits in `changed_hours` until its hour is settled, long after the hour has ended. While an hour runs, by the
database's clock, a mark written and committed in it is still there: the next uplink of the device needs none.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from store.rows import hour_of, microseconds

Mark = tuple[int, int]  # device_id, hour (microseconds since 2000)


class Changes:
    """The marks of one process in the hour that runs. `now_s` is monotonic, and tells how old the knowledge is."""

    def __init__(self) -> None:
        self._hour_us = 0
        self._ends_s = 0.0  # when the hour ends, on the caller's monotonic clock
        self._devices: set[int] = set()

    def to_write(self, marks: Iterable[Mark], now_s: float) -> set[Mark]:
        """Return the marks that are not known to be there."""
        if now_s >= self._ends_s:
            return set(marks)
        hour_us, devices = self._hour_us, self._devices
        return {mark for mark in marks if mark[1] != hour_us or mark[0] not in devices}

    def committed(self, marks: Collection[Mark], database_now: datetime, now_s: float) -> None:
        """Take note of marks whose transaction has committed; it began at `database_now`, by the database's clock."""
        at_us = microseconds(database_now)
        hour_us = hour_of(at_us)
        if hour_us != self._hour_us or now_s >= self._ends_s:
            self._devices = set()
            self._hour_us = hour_us
            self._ends_s = now_s + (hour_us + 3_600_000_000 - at_us) / 1e6
        self._devices.update(device_id for device_id, hour in marks if hour == hour_us)
