"""The periods that pages of consumption compare: so far this month, this year, or the last twelve months. Pure."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from store.reading.consumption import Told

Name = Literal["mois", "annee", "douze"]
NAMES: Final[tuple[Name, ...]] = ("mois", "annee", "douze")

COMPARABLE: Final = 0.8  # of the days, in both years: a meter that did not count says nothing of a change


class Period(NamedTuple):
    """Whole days of a zone: [start, end), and the same days of the year before."""

    start: datetime
    end: datetime
    start_before: datetime
    end_before: datetime
    zone: ZoneInfo

    @property
    def both(self) -> list[tuple[datetime, datetime]]:
        """Return its bounds, then those of the year before."""
        return [(self.start, self.end), (self.start_before, self.end_before)]

    def years(self, count: int) -> list[tuple[datetime, datetime]]:
        """Return its bounds, then those of so many years before."""
        found = self.both
        while len(found) <= count:
            start, end = (midnight(a_year_before(at.date()), self.zone) for at in found[-1])
            found.append((start, end))
        return found

    @property
    def days(self) -> int:
        """Return how many days it has, whatever the clock did in between."""
        return (self.end.date() - self.start.date()).days


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins."""
    return datetime.combine(day, time(), zone)


def a_year_before(day: date) -> date:
    """Return the same day of the year before; 28 February for the 29th."""
    last = monthrange(day.year - 1, day.month)[1]
    return day.replace(year=day.year - 1, day=min(day.day, last))


def period(name: Name, now: datetime, zone: ZoneInfo) -> Period:
    """Return the period up to this morning's midnight; on its first day, the whole one before."""
    today = now.astimezone(zone).date()
    yesterday = today - timedelta(days=1)
    starts = {
        "mois": yesterday.replace(day=1),
        "annee": yesterday.replace(month=1, day=1),
        "douze": a_year_before(today),
    }
    first = starts[name]
    return Period(
        start=midnight(first, zone),
        end=midnight(today, zone),
        start_before=midnight(a_year_before(first), zone),
        end_before=min(midnight(a_year_before(yesterday) + timedelta(days=1), zone), midnight(first, zone)),
        zone=zone,
    )


def counted(told: Iterable[Told], days: int) -> dict[int, dict[int, Told]]:
    """Return what each point used over each period, by period, then by point: what was counted long enough."""
    found: dict[int, dict[int, Told]] = {}
    for one in told:
        if one.point_id is not None and one.weight >= 0 and one.days >= COMPARABLE * days:
            found.setdefault(one.period, {})[one.point_id] = one
    return found


def alike(told: Iterable[Told], days: int) -> set[int]:
    """Return the points of which everything was counted on four days out of five, in both of two periods."""
    counted = {(one.point_id, one.quantity, one.period): one.days for one in told if one.point_id is not None}
    now = {(point_id, quantity) for point_id, quantity, period in counted if period == 0}
    short = {of for of in now if any(counted.get((*of, period), 0) < COMPARABLE * days for period in (0, 1))}
    return {point_id for point_id, _ in now} - {point_id for point_id, _ in short}
