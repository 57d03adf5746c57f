"""When to ask for what: from gaps to as few questions as will do. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ingest.repair.archive import AFTER, BEFORE, Window
from store.gaps import DeviceGaps

# What a question costs is its pages.
_PAGE: Final = 1000
_USUAL_PERIOD: Final = timedelta(minutes=10)  # between two uplinks of a device, rather short
_TOGETHER: Final = timedelta(days=1)


class Ask(NamedTuple):
    """One question: about one device, or about the whole application when `dev_eui` is None."""

    dev_eui: str | None
    after: datetime
    before: datetime


def windows_of(device: DeviceGaps) -> list[Window]:
    """Return when to look for the frames of these gaps, in the order of time; windows that touch become one."""
    found: list[Window] = []
    for gap in sorted(device.gaps, key=lambda one: one.after):
        after, before = gap.after - BEFORE, gap.before + AFTER
        if found and after <= found[-1].before:
            found[-1] = found[-1]._replace(before=max(before, found[-1].before))
        else:
            found.append(Window(device.dev_eui, after, before))
    return found


class Inside:
    """Says whether a frame is one that was asked for."""

    def __init__(self, windows: Iterable[Window]) -> None:
        self._of: dict[str, list[Window]] = defaultdict(list)
        for window in windows:
            self._of[window.dev_eui].append(window)

    def __call__(self, dev_eui: str, received_at: datetime) -> bool:
        """Windows are as `windows_of` gives them: sorted, apart."""
        mine = self._of.get(dev_eui)
        if mine is None:
            return False
        at = bisect_right(mine, received_at, key=lambda window: window.after)
        return at > 0 and received_at <= mine[at - 1].before


def all_together(windows: Iterable[Window]) -> list[Ask]:
    """Return questions about the whole application that cover the windows, in the order of time."""
    return [_of_all(group) for group in _overlapping(windows)]


def plan(windows: Sequence[Window]) -> list[Ask]:
    """Return the questions that are fewest: of all devices at once where many miss the same time, else one by one.

    How many devices the application has is not known; those that miss something stand for them.
    """
    devices = len({window.dev_eui for window in windows})
    asks: list[Ask] = []
    alone: list[Window] = []
    for group in _overlapping(windows):
        whole = _of_all(group)
        pages = 1 + devices * ((whole.before - whole.after) / _USUAL_PERIOD) / _PAGE
        if len({window.dev_eui for window in group}) > pages:
            asks.append(whole)
        else:
            alone.extend(group)
    return asks + _one_by_one(alone)


def _one_by_one(windows: Iterable[Window]) -> list[Ask]:
    """Return questions about one device each: its windows of a day or so are one question."""
    asks: list[Ask] = []
    for window in sorted(windows):
        last = asks[-1] if asks else None
        if last is not None and last.dev_eui == window.dev_eui and window.after - last.before < _TOGETHER:
            asks[-1] = last._replace(before=max(last.before, window.before))
        else:
            asks.append(Ask(*window))
    return asks


def _of_all(group: Sequence[Window]) -> Ask:
    return Ask(None, group[0].after, max(one.before for one in group))


def _overlapping(windows: Iterable[Window]) -> list[list[Window]]:
    groups: list[list[Window]] = []
    until: datetime | None = None
    for window in sorted(windows, key=lambda one: one.after):
        if until is not None and window.after <= until:
            groups[-1].append(window)
            until = max(until, window.before)
        else:
            groups.append([window])
            until = window.before
    return groups
