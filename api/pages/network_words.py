"""Figures of the network in words: counts, shares, decibels, days."""

import math
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from api.pages import words
from api.pages.texts import Texts
from api.units import UNITS, Written

PARIS: Final = ZoneInfo("Europe/Paris")
NONE: Final = "—"
FACTORS: Final = range(7, 13)
_WHOLE: Final = Written("", 0, 0)
_SECONDS: Final = Written("s", 0, 1)
_PERCENT: Final = Written("%", 0, 1)
_DUTY: Final = Written("%", 0, 3)

Cell = str | dict[str, str]


def count(value: float, texts: Texts) -> str:
    """Return a count."""
    return words.number(value, _WHOLE, texts)


def share(part: float, whole: float, texts: Texts) -> str:
    """Return a share in percent; a dash when there is nothing to share."""
    return words.quantity(100 * part / whole, _PERCENT, texts) if whole else NONE


def duty(part_us: float, whole: timedelta, texts: Texts) -> str:
    """Return for which share of a time, to a thousandth of a percent."""
    return words.quantity(part_us / (whole / timedelta(microseconds=1)) * 100, _DUTY, texts)


def octets(value: int, texts: Texts) -> str:
    """Return a size: thousands of bytes, or millions."""
    if value < 1_000_000:
        return texts("net.kilobytes", n=count(math.ceil(value / 1000), texts))
    return texts("net.megabytes", n=words.number(value / 1e6, Written("", 0, 1), texts))


def seconds(value: float | None, texts: Texts) -> str:
    """Return a duration in seconds."""
    return NONE if value is None else words.quantity(value, _SECONDS, texts)


def decibels(value: float | None, texts: Texts) -> str:
    """Return a ratio."""
    return NONE if value is None else words.quantity(value, UNITS["dB"], texts)


def power(value: float | None, texts: Texts) -> str:
    """Return a power."""
    return NONE if value is None else words.quantity(value, UNITS["dB[m]"], texts)


def battery(kind: str | None, value: float | None, texts: Texts) -> str:
    """Return a battery's level, percent or volts."""
    if kind is None or value is None:
        return NONE
    return words.quantity(value, UNITS["%" if kind == "level" else "V"], texts)


def day(value: date, texts: Texts) -> str:
    """Return a day of the calendar."""
    return words.moment(datetime.combine(value, time(12), tzinfo=PARIS), PARIS, "day", texts)


def dated(value: date, today: date, texts: Texts) -> str:
    """Return a day to come, and in how long."""
    left = (value - today).days
    return texts("net.due.past") if left <= 0 else texts("net.due", days=texts.plural("lasting.days", left))


def ago(at: datetime | None, now: datetime, texts: Texts) -> str:
    """Return how long ago; a dash for never."""
    return NONE if at is None else words.age(max((now - at).total_seconds(), 0), texts)
