"""How a range of time is cut: by a fixed interval, or by the calendar of a zone. Pure."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Final, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

Unit = Literal["hour", "day", "week", "month", "year"]


class Calendar(NamedTuple):
    """Several days, weeks, months or years of a zone's calendar, from its Monday, January or year 0 on."""

    number: int
    unit: Unit


Every = timedelta | Unit | Calendar

MAX_BUCKETS: Final = 100_000

# The forms that `parse_every` reads, as one pattern: words, 15m, 6h, 1d, 1mo, PT10M, P3M.
EVERY_PATTERN: Final = (
    r"hour|day|week|month|quarter|year"
    r"|[1-9]\d{0,5}[smh]|[1-9]\d{0,2}(d|w|mo|y)"
    r"|PT[1-9]\d{0,5}[SMH]|P[1-9]\d{0,2}[DWMY]"
)
_WORDS: Final[tuple[Unit, ...]] = get_args(Unit)
_EVERY: Final = re.compile(EVERY_PATTERN, re.ASCII)
_PARTS: Final = re.compile(r"(PT|P)?(\d+)([a-zA-Z]+)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_CALENDAR: Final[dict[str, Unit]] = {"d": "day", "w": "week", "m": "month", "mo": "month", "y": "year"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR: Final = timedelta(hours=1)
_MONDAY: Final = date(1969, 12, 29).toordinal()
_DAYS: Final = {"day": (1, date(1970, 1, 1).toordinal()), "week": (7, _MONDAY)}  # of one unit, and where they begin
_QUARTER: Final = Calendar(3, "month")


def parse_every(text: str) -> Every:
    """Return the interval that a text means; raise ValueError.

    `hour`, `day`, `week`, `month`, `quarter`, `year`; `30s`, `15m`, `6h`, `2d`, `1w`, `3mo`, `1y`; or an ISO 8601
    duration of one unit: `PT10M`, `P1D`, `P3M`.
    """
    if _EVERY.fullmatch(text) is None:
        raise ValueError(
            f"{text[:32]!r} is none of {', '.join(_WORDS)}, quarter, nor of the form 30s, 15m, 6h, 1d, PT15M, P3M"
        )
    if text in _WORDS:
        return text
    if text == "quarter":
        return _QUARTER
    match = _PARTS.fullmatch(text)
    assert match is not None
    count, letters = int(match[2]), match[3].lower()
    fixed = match[1] == "PT" or (match[1] is None and letters in _SECONDS)
    if fixed:
        return "hour" if (count, letters) == (1, "h") else timedelta(seconds=count * _SECONDS[letters])
    unit = _CALENDAR[letters]
    return unit if count == 1 else Calendar(count, unit)


def floor(moment: datetime, every: Every, zone: ZoneInfo) -> datetime:
    """Return the start of the interval that holds `moment` (timezone-aware), in UTC.

    Fixed intervals are counted from 1970 in UTC; days, weeks (from Monday), months and years are the zone's. Hours
    are those of its standard time: summer time moves Lord Howe's clocks by half of one.
    """
    if isinstance(every, timedelta):
        return _EPOCH + (moment - _EPOCH) // every * every
    local = moment.astimezone(zone)
    if every == "hour":
        shift = (local.utcoffset() or timedelta(0)) - (local.dst() or timedelta(0))
        return _EPOCH - shift + (moment + shift - _EPOCH) // _HOUR * _HOUR
    return _midnight(_first_day(local.date(), every), zone)


def following(start: datetime, every: Every, zone: ZoneInfo) -> datetime:
    """Return the start of the interval after the one that starts at `start`, in UTC. A day has 23 to 25 hours."""
    if isinstance(every, timedelta):
        return start + every
    if every == "hour":
        return floor(start + _HOUR, every, zone)
    return _midnight(_first_day(start.astimezone(zone).date(), every, following=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _first_day(day: date, every: Unit | Calendar, *, following: int = 0) -> date:
    """Return the first day of the interval that holds `day`, or of one of those after it."""
    count, unit = every if isinstance(every, Calendar) else (1, every)
    if unit in _DAYS:
        length, origin = _DAYS[unit][0] * count, _DAYS[unit][1]
        return date.fromordinal(origin + ((day.toordinal() - origin) // length + following) * length)
    months = count if unit == "month" else 12 * count
    first = ((day.year * 12 + day.month - 1) // months + following) * months
    return date(max(first // 12, 1), first % 12 + 1, 1)


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


def a_year_before(moment: datetime, zone: ZoneInfo, *, weekday: bool) -> datetime:
    """Return the same date and time of day a year before, in UTC; 52 weeks before if `weekday`.

    29 February has no date a year before: it is taken as 1 March, so that the days of a range still add up.
    """
    local = moment.astimezone(zone)
    if weekday:
        return (local - timedelta(days=364)).astimezone(UTC)
    try:
        return local.replace(year=local.year - 1).astimezone(UTC)
    except ValueError:
        return local.replace(year=local.year - 1, month=3, day=1).astimezone(UTC)


def all_a_year_before(bounds: Iterable[datetime], zone: ZoneInfo, *, weekday: bool) -> list[datetime]:
    """Return what was a year before each bound, in order: an hour that a year before had not is an empty interval."""
    return list(accumulate((a_year_before(bound, zone, weekday=weekday) for bound in bounds), max))
