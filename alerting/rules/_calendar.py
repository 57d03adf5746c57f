"""Opening hours in local time: weekly hours, public and school holidays, exceptions. Pure.

Public holidays are those of the package `holidays`, for Alsace-Moselle and the overseas départements too. School
holidays are its zones A, B and C (the Somme is of zone B): as decreed for the years that are, by rule of thumb beyond.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import holidays
from pydantic import BaseModel, ConfigDict, Field, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Region = Literal["metropole", "alsace-moselle", "971", "972", "973", "974", "976"]

_SUBDIVISION: Final[dict[str, str | None]] = {"metropole": None, "alsace-moselle": "57"}
_MAX_QUIET: Final = timedelta(days=370)  # a calendar that changes later than that is taken to stay as it is


class Hours(BaseModel):
    """From a local time to another of the same day; to one not later: of the next day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    opens: time
    closes: time

    @model_validator(mode="after")
    def _local(self) -> "Hours":
        if self.opens.tzinfo is not None or self.closes.tzinfo is not None:
            raise ValueError("local times, without a zone: it is the site's")
        return self


class Exceptional(BaseModel):
    """Some days, both included, on which other hours hold; none: closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: date
    last: date
    hours: Annotated[tuple[Hours, ...], Field(max_length=8)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> "Exceptional":
        if self.last < self.first:
            raise ValueError("the last day is before the first")
        return self


class OpeningHours(BaseModel):
    """When a site is open. Days without hours are closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weekly: dict[Day, Annotated[tuple[Hours, ...], Field(max_length=8)]]
    public_holidays: Literal["open", "closed"] = "closed"
    region: Region = "metropole"
    school_holidays: Literal["open", "A", "B", "C"] = "open"  # a letter: closed in those of that zone
    exceptions: Annotated[tuple[Exceptional, ...], Field(max_length=400)] = ()


class Span(NamedTuple):
    """Whether it is open, and until when that stays so (epoch seconds)."""

    is_open: bool
    until_s: float


@lru_cache(maxsize=64)
def public_holidays(year: int, region: Region) -> frozenset[date]:
    """Return the public holidays of a year."""
    subdivision = _SUBDIVISION.get(region, region)
    return frozenset(holidays.country_holidays("FR", subdiv=subdivision, years=year))


@lru_cache(maxsize=64)
def school_holidays(year: int, zone: str) -> frozenset[date]:
    """Return the days of a year without school, but for the usual free days of the week."""
    return frozenset(holidays.country_holidays("FR", subdiv=f"Zone {zone}", years=year, categories=("school",)))


def instant_s(day: date, at: time, zone: ZoneInfo, *, last: bool = False) -> float:
    """Return when a clock shows that time: of two moments (autumn) the first, or the `last`.

    A time that the clock skips (spring) counts as many minutes from midnight as it says on other days.
    """
    local = datetime.combine(day, at, zone)
    if last and local.replace(fold=1).astimezone(UTC).astimezone(zone).time() == at:
        local = local.replace(fold=1)
    return local.timestamp()


def local_date(at_s: float, zone: ZoneInfo) -> date:
    """Return the local day of a moment."""
    return datetime.fromtimestamp(at_s, zone).date()


def midnight_s(day: date, zone: ZoneInfo) -> float:
    """Return when a local day begins."""
    return instant_s(day, time(0), zone)


class Calendar:
    """Opening hours in one zone, asked by epoch seconds. What it worked out of a day it keeps."""

    def __init__(self, hours: OpeningHours, zone: ZoneInfo) -> None:
        self._hours = hours
        self._zone = zone
        self._days: dict[date, list[tuple[float, float]]] = {}
        self._edges: list[float] = []  # when it opens and closes, in turn, around what was asked last
        self._known = (0.0, 0.0)

    def at(self, at_s: float) -> Span:
        """Say whether it is open at that moment."""
        if not self._known[0] <= at_s < self._known[1]:
            self._work_out(local_date(at_s, self._zone))
        place = bisect_right(self._edges, at_s)
        until_s = self._edges[place] if place < len(self._edges) else self._known[1]
        return Span(place % 2 == 1, until_s)

    def _work_out(self, day: date) -> None:
        """Prepare the edges from that day on: at least a week, and as far as the next change."""
        first, count = day - timedelta(days=1), 0
        spans: list[tuple[float, float]] = []
        while count < 9 or (len(spans) < 2 and timedelta(days=count) < _MAX_QUIET):
            for opens_s, closes_s in self._of_day(first + timedelta(days=count)):
                if spans and opens_s <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(closes_s, spans[-1][1]))
                else:
                    spans.append((opens_s, closes_s))
            count += 1
        self._known = (midnight_s(day, self._zone), midnight_s(first + timedelta(days=count - 1), self._zone))
        self._edges = [edge for span in spans for edge in span]

    def _of_day(self, day: date) -> list[tuple[float, float]]:
        if day not in self._days:
            spans = []
            for one in self._hours_of(day):
                ends_on = day if one.closes > one.opens else day + timedelta(days=1)
                opens_s = instant_s(day, one.opens, self._zone)
                closes_s = instant_s(ends_on, one.closes, self._zone, last=True)
                if closes_s > opens_s:
                    spans.append((opens_s, closes_s))
            if len(self._days) > 800:
                self._days.clear()
            self._days[day] = sorted(spans)
        return self._days[day]

    def _hours_of(self, day: date) -> tuple[Hours, ...]:
        hours = self._hours
        for exception in hours.exceptions:
            if exception.first <= day <= exception.last:
                return exception.hours
        if hours.public_holidays == "closed" and day in public_holidays(day.year, hours.region):
            return ()
        if hours.school_holidays != "open" and day in school_holidays(day.year, hours.school_holidays):
            return ()
        return hours.weekly.get(DAYS[day.weekday()], ())


def weekdays(*spans: tuple[str, str], days: tuple[Day, ...] = DAYS[:5]) -> dict[Day, tuple[Hours, ...]]:
    """Return the same hours for several days of the week: `weekdays(("08:30", "12:00"), ("13:30", "16:30"))`."""
    hours = tuple(Hours(opens=time.fromisoformat(one), closes=time.fromisoformat(other)) for one, other in spans)
    return dict.fromkeys(days, hours)
