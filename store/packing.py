"""The rows of frames, table by table, as `store/writing.py` sends them.

Table by table, not frame by frame: each loop is short, and what it makes is sent and forgotten before the next. Of
2,000 frames that is a third faster than to make all the rows of one, then all of the next.
"""

from collections.abc import Iterable

from store import rows
from store.batch import Frame
from store.changes import Mark


def uplinks(frames: Iterable[Frame], ingested_us: int) -> list[bytes]:
    """Return the rows of `uplinks`."""
    pack = rows.uplink
    return [
        pack(received_us, key[2], ingested_us, uplink, found)
        for key, received_us, uplink, found, _, _, _, _, _ in frames
    ]


def receptions(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of `receptions`, those of one uplink together."""
    pack = rows.receptions
    return [pack(received_us, key[2], key[0], hearings) for key, received_us, _, _, hearings, _, _, _, _ in frames]


def live(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of `measurements` of the moment of reception, those of one uplink together."""
    pack = rows.measurements
    return [
        pack(received_us, received_us, key[0], layout, live[2])
        for key, received_us, _, _, _, live, layout, _, _ in frames
    ]


def historical(frames: Iterable[Frame]) -> list[bytes]:
    """Return the rows of `measurements` of the past."""
    return [
        rows.measurement(rows.microseconds(measured_at), frame.received_us, frame.key[0], quantity_id, channel, value)
        for frame in frames
        for quantity_id, channel, measured_at, value in frame.past
    ]


def marks(frames: Iterable[Frame]) -> set[Mark]:
    """Return the hours of devices in which something changed."""
    hour_of = rows.hour_of
    found = {(frame.key[0], hour_of(frame.received_us)) for frame in frames}
    found.update((frame.key[0], hour_of(rows.microseconds(one.measured_at))) for frame in frames for one in frame.past)
    return found
