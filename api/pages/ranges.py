"""Which period of a point is shown, and how finely: what the address says, and links to the others. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from api.pages import words
from api.pages.texts import Texts
from api.series import RAW

NAMES: Final = ("24h", "7d", "30d", "1y")
DEFAULT: Final = "24h"
HOUR: Final = "1h"
DAY: Final = "1d"
MONTH: Final = "1mo"

_DAY: Final = timedelta(days=1)
_SHORT: Final = 2 * _DAY  # told sample by sample, a counter by hours
_WEEKS: Final = 15 * _DAY  # a level by hours
_MONTHS: Final = 62 * _DAY  # a counter by days
_LONG: Final = 800 * _DAY  # a level by days
_SHORTEST: Final = timedelta(minutes=30)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)


class Range(NamedTuple):
    """A period: `name` one of NAMES, or "custom"; `end` is not in the future."""

    name: str
    start: datetime
    end: datetime

    @property
    def lasting(self) -> timedelta:
        """How long."""
        return self.end - self.start


def named(name: str, now: datetime, zone: ZoneInfo) -> Range:
    """Return a period that ends now. Those of days begin with a day, the year with a month."""
    if name == DEFAULT:
        return Range(name, now - _DAY, now)
    today = now.astimezone(zone).date()
    if name == "1y":
        return Range(name, _midnight(date(today.year - 1, today.month, 1), zone), now)
    days = {"7d": 6, "30d": 29}[name]
    return Range(name, _midnight(today - timedelta(days=days), zone), now)


def custom(start: str, end: str, now: datetime, zone: ZoneInfo) -> Range | None:
    """Return the period between two moments of an address, a date being whole days; None for what cannot be.

    What is not given is now, or a day before the end.
    """
    try:
        last = _moment(end, zone, ends=True) if end else now
        first = _moment(start, zone, ends=False) if start else last - _DAY
    except ValueError:
        return None
    last = min(last, now)
    return Range("custom", first, last) if _EARLIEST <= first < last else None


def moved(shown: Range, now: datetime) -> dict[str, Range]:
    """Return the periods that lie around the one shown: what dragging a chart shows, for who does not drag.

    `earlier` and `later` are as long, `closer` is its middle half, `wider` twice as long. One that cannot be, because
    it would be in the future, before all measurements, or too short to say anything, is left out.
    """
    start, end, lasting = shown.start, shown.end, shown.lasting
    wide_end = min(end + lasting / 2, now)
    around = {
        "earlier": (start - lasting, start),
        "later": (end, min(end + lasting, now)),
        "closer": (start + lasting / 4, end - lasting / 4),
        "wider": (wide_end - 2 * lasting, wide_end),
    }
    return {
        name: Range("custom", first, last)
        for name, (first, last) in around.items()
        if first >= _EARLIEST and last - first >= _SHORTEST
    }


def _moment(text: str, zone: ZoneInfo, *, ends: bool) -> datetime:
    if "T" in text:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError(text)
        return at.astimezone(UTC)
    return _midnight(date.fromisoformat(text) + (_DAY if ends else timedelta(0)), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def every(kind: str, lasting: timedelta, *, compared: bool) -> str:
    """Return the interval that suits a kind of quantity and a length of time; what is compared is cut, never raw."""
    if kind == "counter":
        return HOUR if lasting <= _SHORT else DAY if lasting <= _MONTHS else MONTH
    if kind == "state":
        return RAW if lasting <= _MONTHS and not compared else DAY
    if lasting <= _SHORT:
        return HOUR if compared else RAW
    if lasting <= _WEEKS:
        return HOUR
    return DAY if lasting <= _LONG else MONTH


def said(shown: Range, zone: ZoneInfo, texts: Texts, now: datetime) -> str:
    """Return the period in words: "Ces 24 dernières heures", "Du lun. 3 nov. au dim. 9 nov."."""
    if shown.name != "custom":
        return texts(f"range.{shown.name}.long")
    precise = "minute" if shown.lasting < _SHORT else "day"
    last = shown.end if precise == "minute" else shown.end - timedelta(seconds=1)
    ends = [words.moment(at, zone, precise, texts, now) for at in (shown.start, last)]
    return texts("range.custom.long", start=ends[0], end=ends[1])
