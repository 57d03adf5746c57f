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


def newest_rows(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of frames: of each kind of frame that a device sends the newest."""
    newest: dict[tuple[int, int], Latest] = {}
    for key, received_us, _, _, _, live, layout, past, _ in frames:
        of_live = _new(Latest, (key[0], layout[0], received_us, received_us, *live))
        for one in newest_of(key[0], key[1], live, past) if past else (of_live,):
            series = one[:2]
            known = newest.setdefault(series, one)
            if known is not one and one.is_newer(known):
                newest[series] = one
    return [row_of(one) for one in newest.values()]


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
