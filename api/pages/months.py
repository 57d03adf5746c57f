"""The month that is told of, and the same days a year before. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from api.pages import words
from api.pages.texts import Texts


class Month(NamedTuple):
    """Whole days from `first` to `last`, both included, of one month."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """From the first midnight until the one after the last day, in UTC."""
        return _midnight(self.first, self.zone), _midnight(self.last + timedelta(days=1), self.zone)

    def said(self, texts: Texts) -> str:
        """Say it: "du 1er au 21 novembre"."""
        return words.span(self.first, self.last, texts)

    def named(self, texts: Texts) -> str:
        """Say which month it is of: "novembre 2025"."""
        return words.month(self.first, texts)


def to_date(now: datetime, zone: ZoneInfo) -> Month:
    """Return the month until yesterday; on its first day, the whole month before."""
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    return Month(yesterday.replace(day=1), yesterday, zone)


def year_before(month: Month) -> Month:
    """Return the same days a year before; of February, those that there are."""
    year, number = month.first.year - 1, month.first.month
    longest = (date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)).day
    first = date(year, number, min(month.first.day, longest))
    return Month(first, date(year, number, min(month.last.day, longest)), month.zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
