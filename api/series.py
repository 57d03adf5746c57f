"""Quantities of points over time: what may be asked, how much of it, and how it is told."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final, Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

import asyncpg
from pydantic import Field, StringConstraints

from api import models
from api.gaps import LOOSE, gaps
from api.parameters import SHOWN, WHOLE, Channel, OfTenant, Period, QuantityName
from api.problems import NO_SUCH_MOMENT, NOT_FOUND, TOO_MANY_POINTS, ProblemError
from domain.quantities import FOREIGN_PREFIX, QUANTITIES
from store.reading import series as store
from store.reading.every import EVERY_PATTERN, Every, all_a_year_before, edges, parse_every

DEFAULT_RANGE: Final = timedelta(days=1)
RAW: Final = "raw"
AUTO: Final = "auto"
DAY: Final = "day"
_SECONDS: Final = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

EveryText = Annotated[
    str,
    StringConstraints(pattern=rf"^({RAW}|{AUTO}|{EVERY_PATTERN})$"),
    Field(
        description="raw (each measurement); auto (raw if it fits into `max_points`, else the shortest intervals that "
        "do); hour, day, week, month, quarter, year; 15m, 6h, 1d, 1w, 1mo, 1y; or an ISO 8601 duration of one unit, "
        "PT10M, P1D, P3M. Days and longer are the tenant's",
        examples=["day"],
    ),
]
Compare = Literal["year", "year-weekday"]


class Cut(OfTenant, Period):
    """Which period, and how it is cut."""

    every: EveryText = RAW
    max_points: Annotated[int, Field(ge=10, le=10_000, description="for `every=auto`: from 10 to 10000"), WHOLE] = 2000
    compare: Annotated[
        Compare | None,
        Field(
            description="tells `previous` too: `year`, the same dates a year before; `year-weekday`, 52 weeks before"
        ),
    ] = None


class SeriesQuery(Cut):
    """One quantity of a point."""

    quantity: QuantityName
    channel: Channel = 0


class Asked(NamedTuple):
    """What is asked of a point; `start` is included, `end` is not and is not in the future."""

    quantity: str
    channel: int
    every: str
    start: datetime
    end: datetime
    zone: ZoneInfo
    max_points: int = 2000
    compare: Compare | None = None


class Found(NamedTuple):
    """A series, the intervals that it was cut by at last, and what was there a year before."""

    series: store.Series
    every: str
    previous: store.Rows | None


def _refuse_unknown(quantity: str) -> None:
    """Raise ProblemError for what is no name of the vocabulary, and none that a network server's codec made."""
    if quantity not in QUANTITIES and not quantity.startswith(FOREIGN_PREFIX):
        raise ProblemError(NOT_FOUND, f"{quantity[:SHOWN]!r} is no quantity: /api/v1/quantities lists them.")


def parse(cut: Cut, quantity: str, channel: int, zone: ZoneInfo, now: datetime) -> Asked:
    """Return what the parameters ask; raise ProblemError when there is no such quantity or period."""
    _refuse_unknown(quantity)
    start, end = cut.bounds(zone, now, DEFAULT_RANGE)
    if start >= now:
        raise ProblemError(NO_SUCH_MOMENT, "`from` is in the future: nothing was measured then.")
    return Asked(quantity, channel, cut.every, start, min(end, now), zone, cut.max_points, cut.compare)


async def read(connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked, limit: int) -> Found:
    """Return the series from the store; raise ProblemError(TOO_MANY_POINTS) rather than read too much.

    Of a household's meter that is told by day alone, whatever is asked finer comes by day.
    """
    found = await _read(connection, tenant_id, point_id, asked, limit)
    if found.series.by_day and _is_finer_than_days(found.every):
        return await _read(connection, tenant_id, point_id, asked._replace(every=DAY), limit)
    return found


def _is_finer_than_days(every: str) -> bool:
    return every == RAW or (isinstance(parsed := parse_every(every), timedelta) or parsed == "hour")


async def _read(connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked, limit: int) -> Found:
    if asked.every == AUTO:
        asked = await _fitting(connection, tenant_id, point_id, asked)
        limit = asked.max_points
    of_point = (connection, tenant_id, point_id, asked.quantity, asked.channel)
    before = partial(all_a_year_before, zone=asked.zone, weekday=asked.compare == "year-weekday")
    if asked.every == RAW:
        await _refuse_many_samples(connection, tenant_id, point_id, asked, limit)
        raw = partial(store.series, *of_point, every=None, zone=asked.zone)
        found = await raw(start=asked.start, end=asked.end)
        start, end = before((asked.start, asked.end))
        previous = await raw(start=start, end=end) if asked.compare else None
    else:
        bounds = _bounds(asked, parse_every(asked.every), limit)
        found = await store.intervals(*of_point, bounds=bounds)
        previous = None
        if asked.compare:
            previous = await store.intervals(*of_point, bounds=before(bounds))
    return Found(found, asked.every, None if previous is None else previous.rows)


async def _count(connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked) -> tuple[int, str]:
    """Return how many samples there are, and their kind: one interval reads roll-ups, and not sample by sample."""
    bounds = (asked.start, asked.end)
    whole = await store.intervals(connection, tenant_id, point_id, asked.quantity, asked.channel, bounds=bounds)
    return sum(one.samples for one in whole.rows if not isinstance(one, store.Sample)), whole.kind


async def _refuse_many_samples(
    connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked, limit: int
) -> None:
    count, _ = await _count(connection, tenant_id, point_id, asked)
    if count > limit:
        raise _too_many(limit, f"there are {count} measurements in this range")


async def _fitting(connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked) -> Asked:
    """Return what is asked with the finest cut that fits: a level's interval draws two points, its low and its high."""
    count, kind = await _count(connection, tenant_id, point_id, asked)
    if count <= asked.max_points:
        return asked._replace(every=RAW)
    columns = asked.max_points // 2 if kind == "gauge" else asked.max_points
    return asked._replace(every=_width((asked.end - asked.start) / (columns - 2)))  # the first and last are cut


def _width(least: timedelta) -> str:
    """Return the shortest interval of a round length that is not shorter: from an hour on roll-ups answer."""
    if least <= _HOUR:
        return f"PT{next(step for step in _SECONDS if step >= least.total_seconds())}S"
    if least <= _DAY:
        return f"PT{-(-least // _HOUR)}H"
    return f"P{-(-least // _DAY)}D"


def _bounds(asked: Asked, every: Every, limit: int) -> list[datetime]:
    try:
        bounds = edges(asked.start, asked.end, every, asked.zone)
    except ValueError:  # past the store's own bound, which is higher
        bounds = []
    count = len(bounds) - 1
    if not 0 < count <= limit:
        many = count if count > 0 else "very many"
        raise _too_many(limit, f"there are {many} intervals of {asked.every} in this range")
    return bounds


def _too_many(limit: int, why: str) -> ProblemError:
    return ProblemError(
        TOO_MANY_POINTS,
        f"{why}, and an answer holds {limit} at most: ask a longer `every`, or a shorter range with `from` and `to`.",
        limit=limit,
    )


def to_model(found: Found, asked: Asked) -> models.Series:
    """Return what the API says of a series."""
    series, rows = found.series, found.series.rows
    return models.Series.model_construct(
        point_id=series.point_id,
        quantity=series.quantity,
        channel=series.channel,
        kind=series.kind,
        unit=series.unit,
        every=found.every,
        time_zone=asked.zone.key,
        start=asked.start,
        end=asked.end,
        items=_items(rows),
        gaps=_gaps(rows, asked) if found.every == RAW else [],
        previous=None if found.previous is None else _items(found.previous),
    )


def _gaps(rows: store.Rows, asked: Asked) -> list[models.Gap]:
    times = [row.measured_at for row in rows if isinstance(row, store.Sample)]
    return [models.Gap(start=gap.start, end=gap.end) for gap in gaps(times, asked.start, asked.end, LOOSE)]


def _items(rows: store.Rows) -> models.Items:
    """Return the rows as the API says them: they are made here, and nothing is left to validate."""
    return cast("models.Items", [row._asdict() for row in rows])
