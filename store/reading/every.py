"""How a range of time is cut: by a fixed interval, or by the calendar of a zone. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, cast, get_args
from zoneinfo import ZoneInfo

Unit = Literal["hour", "day", "week", "month", "year"]
Every = timedelta | Unit

MAX_BUCKETS: Final = 100_000

_UNITS: Final = get_args(Unit)
_FIXED: Final = re.compile(r"([1-9][0-9]{0,5})([smh])\Z")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)


def parse_every(text: str) -> Every:
    """Return what `hour`, `day`, `week`, `month`, `year`, or a fixed `30s`, `15m`, `6h` means; raise ValueError."""
    if text in _UNITS:
        return cast("Unit", text)
    match = _FIXED.match(text)
    if match is None:
        raise ValueError(f"{text[:32]!r} is none of {', '.join(_UNITS)}, and not of the form 30s, 15m, 6h")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def floor(moment: datetime, every: Every, zone: ZoneInfo) -> datetime:
    """Return the start of the interval that holds `moment` (timezone-aware), in UTC.

    Fixed intervals are counted from 1970 in UTC; days, weeks (from Monday), months and years are the zone's. Hours
    are those of its standard time: summer time moves Lord Howe's clocks by half of one.
    """
    if isinstance(every, timedelta):
        return _EPOCH + (moment - _EPOCH) // every * every
    if every == "hour":
        local = moment.astimezone(zone)
        shift = (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))
        return _EPOCH - shift + (moment + shift - _EPOCH) // _HOUR * _HOUR
    day = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if every == "week":
        day -= timedelta(days=day.weekday())
    elif every == "month":
        day = day.replace(day=1)
    elif every == "year":
        day = day.replace(month=1, day=1)
    return day.astimezone(UTC)


def following(start: datetime, every: Every, zone: ZoneInfo) -> datetime:
    """Return the start of the interval after the one that starts at `start`, in UTC. A day has 23 to 25 hours."""
    if isinstance(every, timedelta):
        return start + every
    longest = {"hour": _HOUR, "day": timedelta(hours=25), "week": timedelta(hours=169), "month": timedelta(days=32)}
    return floor(start + longest.get(every, timedelta(days=367)), every, zone)


def edges(start: datetime, end: datetime, every: Every, zone: ZoneInfo) -> list[datetime]:
    """Return the bounds of the intervals between `start` and `end`, both included, in UTC.

    The first and the last interval are cut at `start` and `end`. Raises ValueError if `end` is not after `start`,
    if either is naive, if the interval is not longer than nothing, or if there would be more than MAX_BUCKETS.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end have a zone")
    if end <= start:
        raise ValueError("end is after start")
    if isinstance(every, timedelta) and every <= timedelta(0):
        raise ValueError("an interval is longer than nothing")
    found = [start.astimezone(UTC)]
    for edge in _edges_after(start, every, zone):
        if edge >= end:
            break
        if len(found) >= MAX_BUCKETS:
            raise ValueError(f"more than {MAX_BUCKETS} intervals: choose a shorter range or longer intervals")
        found.append(edge)
    return [*found, end.astimezone(UTC)]


def _edges_after(start: datetime, every: Every, zone: ZoneInfo) -> Iterator[datetime]:
    edge = floor(start, every, zone)
    while True:
        edge = following(edge, every, zone)
        yield edge
