"""The newest frame of each kind that a device sends: `latest_frames` (docs/decisions/0006-latest-by-frame.md)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from store import rows
from store.batch import Frame, Live, Measured

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time


class Latest(NamedTuple):
    """A row of `latest_frames`."""

    device_id: int
    layout: int
    measured_us: int
    received_us: int
    quantity_ids: tuple[int, ...]
    channels: tuple[int, ...]
    values: Sequence[float]

    def is_newer(self, other: "Latest") -> bool:
        """Say whether this one takes the place of another of its device and layout."""
        return self[2:4] > other[2:4]


# Device and layout; when it was measured and received, which tells what is newest; the row.
Newest = tuple[tuple[int, int], tuple[int, int], bytes]


def newest_of_frame(frame: Frame) -> Sequence[Newest]:
    """Return what `latest_frames` holds of one frame, while no newer one comes."""
    key, received_us, _, _, _, live, layout, past, _ = frame
    if not past:
        device_id = key[0]
        row = rows.latest(device_id, layout, received_us, received_us, live[2])
        return (((device_id, layout[0]), (received_us, received_us), row),)
    return [(one[:2], one[2:4], row_of(one)) for one in newest_of(key[0], key[1], live, past)]


def newest_rows(found: Iterable[Sequence[Newest]]) -> list[bytes]:
    """Return the rows of several frames: of each kind of frame that a device sends the newest."""
    newest: dict[tuple[int, int], Newest] = {}
    for frame in found:
        for one in frame:
            known = newest.setdefault(one[0], one)
            if one[1] > known[1]:
                newest[one[0]] = one
    return [row for _, _, row in newest.values()]


def row_of(latest: Latest) -> bytes:
    """Return the row as COPY takes it."""
    device_id, _, measured_us, received_us, quantity_ids, channels, values = latest
    return rows.latest(device_id, rows.layout(quantity_ids, channels), measured_us, received_us, values)


def newest_of(device_id: int, received_at: datetime, live: Live, past: Sequence[Measured]) -> list[Latest]:
    """Return what one frame makes: a row for each time that it measured at.

    Of a batch of hourly indexes, it is the newest of each (quantity, channel).
    """
    received_us = rows.microseconds(received_at)
    if not past:
        return [latest_of(device_id, received_us, received_us, live)]
    newest: dict[tuple[int, int], Measured] = {}
    of_live = [Measured(number, channel, received_at, value) for number, channel, value in zip(*live, strict=True)]
    for one in (*of_live, *past):
        known = newest.get((one.quantity_id, one.channel))
        if known is None or one.measured_at > known.measured_at:
            newest[one.quantity_id, one.channel] = one
    by_time: dict[datetime, list[Measured]] = {}
    for one in newest.values():
        by_time.setdefault(one.measured_at, []).append(one)
    return [latest_of(device_id, rows.microseconds(at), received_us, _live(group)) for at, group in by_time.items()]


def latest_of(device_id: int, measured_us: int, received_us: int, live: Live) -> Latest:
    """Return the row of what a device measured at one time."""
    return _new(Latest, (device_id, rows.layout(live[0], live[1])[0], measured_us, received_us, *live))


def _live(group: Sequence[Measured]) -> Live:
    quantity_ids, channels, _, values = zip(*group, strict=True)
    return Live(quantity_ids, channels, values)
