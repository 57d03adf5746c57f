"""Which readings of a frame are stored. Pure: the same for a frame that comes and for one that is decoded again."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from domain.quarantine import BAD_TIME, IMPLAUSIBLE
from domain.readings import Reading
from domain.times import EARLIEST
from store.batch import Live, Measured
from store.known import QuantityRef

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time
_DEVICE_CLOCK_TOLERANCE: Final = timedelta(days=1)
_NO_TIME: Final = datetime.max.replace(tzinfo=UTC)


class Unfit(NamedTuple):
    """A reading that is not stored: `reason` is a word of `domain.quarantine`, `detail` is for a person."""

    quantity: str
    reason: str
    detail: str


class Judged(NamedTuple):
    """The readings of one frame: of the moment it was received, of the past, and those that are not stored."""

    live: Live
    past: list[Measured]
    unfit: list[Unfit]


def judge(readings: Iterable[Reading], received_at: datetime, quantities: Mapping[str, QuantityRef]) -> Judged:
    """Tell the plausible readings of a frame from the others, and those of the moment from those of the past."""
    quantity_ids: list[int] = []
    channels: list[int] = []
    values: list[float] = []
    past: list[Measured] = []
    unfit: list[Unfit] = []
    for name, value, channel, age_s, measured_at in readings:
        try:
            quantity_id, low, high = quantities[name]
        except KeyError:  # beyond the bound on a network server's own names
            unfit.append(Unfit(name, IMPLAUSIBLE, f"{name[:80]}: too many names"))
            continue
        if not low <= value <= high:
            unfit.append(Unfit(name, IMPLAUSIBLE, f"{name} {value!r}, not within {low} to {high}"))
        elif measured_at is None and not age_s:
            quantity_ids.append(quantity_id)
            channels.append(channel)
            values.append(value)
        else:
            at = measured_at or _before(received_at, age_s)
            if EARLIEST <= at <= received_at + _DEVICE_CLOCK_TOLERANCE:
                past.append(Measured(quantity_id, channel, at.astimezone(UTC), value))
            else:
                unfit.append(Unfit(name, BAD_TIME, f"{name} at {at}"))
    return _new(Judged, (_new(Live, (tuple(quantity_ids), tuple(channels), tuple(values))), past, unfit))


def _before(received_at: datetime, age_s: float) -> datetime:
    """Return the time that was `age_s` ago; the end of all time when no calendar has it."""
    try:
        return received_at - timedelta(seconds=age_s)
    except OverflowError:
        return _NO_TIME


def kept_detail(detail: str) -> str:
    """Return why an uplink was not decoded as PostgreSQL takes it: not too long, no NUL, no lone surrogate."""
    return detail[:500].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
