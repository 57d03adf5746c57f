"""Frames as the rows that `store/writing.py` sends.

Some frames at a time, and table by table: each loop is short, and what it reads is still in the processor's cache. Then
only the rows are kept. Most of what a batch of 2,000 once cost was waiting for memory (docs/benchmarks.md).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from store import rows
from store.batch import AccountKey, Batch, EventRow, Frame, Key, QuarantineRow
from store.changes import Mark
from store.newest import Newest, newest_of_frame

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time


class PackedFrame(NamedTuple):
    """The rows of one uplink, those of each table together, and what is counted of it."""

    key: Key
    account: AccountKey
    since_us: int  # its earliest measurement
    marks: Sequence[Mark]  # the hours of its device in which something changed
    uplink: bytes
    receptions: bytes
    live: bytes  # measurements of the moment of reception
    past: bytes  # and of the past: they may be there already
    latest: Sequence[Newest]


class Packed:
    """What one transaction stores: the rows of parts of a batch, in their order."""

    def __init__(self) -> None:
        self.frames: list[PackedFrame] = []
        self.events: list[EventRow] = []
        self.quarantined: list[QuarantineRow] = []
        self.heard: dict[int, datetime] = {}
        self.ignored: Counter[AccountKey] = Counter()

    def add(self, part: Batch) -> None:
        """Pack a part behind those that are there."""
        frames = part.frames
        columns = (
            [frame.key for frame in frames],
            [frame.account for frame in frames],
            [earliest(frame) for frame in frames],
            [marks(frame) for frame in frames],
            uplinks(frames, part.ingested_us),
            receptions(frames),
            live(frames),
            historical(frames),
            [newest_of_frame(frame) for frame in frames],
        )
        self.frames += [_new(PackedFrame, one) for one in zip(*columns, strict=True)]
        self.events += part.events
        self.quarantined += part.quarantined
        self.ignored.update(part.ignored)
        for gateway_id, at in part.heard.items():
            if at > self.heard.setdefault(gateway_id, at):
                self.heard[gateway_id] = at


def uplinks(frames: Iterable[Frame], ingested_us: int) -> list[bytes]:
    """Return the row of `uplinks` of each."""
    pack = rows.uplink
    return [
        pack(received_us, key[2], ingested_us, uplink, found)
        for key, received_us, uplink, found, _, _, _, _, _ in frames
    ]


def receptions(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of `receptions` of each."""
    pack = rows.receptions
    return [pack(received_us, key[2], key[0], hearings) for key, received_us, _, _, hearings, _, _, _, _ in frames]


def live(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of `measurements` of each, of the moment of reception."""
    pack = rows.measurements
    return [
        pack(received_us, received_us, key[0], layout, live[2])
        for key, received_us, _, _, _, live, layout, _, _ in frames
    ]


def historical(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of `measurements` of each, of the past."""
    return [_past(frame) if frame.past else b"" for frame in frames]


def _past(frame: Frame) -> bytes:
    device_id, received_us, at_us = frame.key[0], frame.received_us, rows.microseconds
    return b"".join([
        rows.measurement(at_us(measured_at), received_us, device_id, quantity_id, channel, value)
        for quantity_id, channel, measured_at, value in frame.past
    ])  # fmt: skip


def marks(frame: Frame) -> Sequence[Mark]:
    """Return the hours of the device in which something changed."""
    device_id, hour_of = frame.key[0], rows.hour_of
    if not frame.past:
        return ((device_id, hour_of(frame.received_us)),)
    times_us = {frame.received_us, *[rows.microseconds(one.measured_at) for one in frame.past]}
    return [(device_id, hour_us) for hour_us in {hour_of(at_us) for at_us in times_us}]


def earliest(frame: Frame) -> int:
    """Return when the earliest measurement was, in microseconds since 2000."""
    if not frame.past:
        return frame.received_us
    return min(frame.received_us, *[rows.microseconds(one.measured_at) for one in frame.past])
