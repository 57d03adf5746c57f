"""One quantity of a point over time: what may be asked, how much of it, and how it is told."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, get_args
from zoneinfo import ZoneInfo

import asyncpg

from api import models, tenancy
from api.problems import TOO_MANY_POINTS, ProblemError, invalid_parameter
from api.query import Query
from store.reading import series as store
from store.reading.buckets import CounterBucket, GaugeBucket, StateBucket
from store.reading.every import Every, edges

PARAMETERS: Final = frozenset({tenancy.PARAMETER, "quantity", "channel", "from", "to", "every"})
EVERY: Final[dict[str, Every | None]] = {
    "raw": None,
    "15m": timedelta(minutes=15),
    "1h": "hour",
    "1d": "day",
    "1w": "week",
    "1mo": "month",
    "1y": "year",
}
DEFAULT_RANGE: Final = timedelta(days=1)
_MAX_CHANNEL: Final = 2**15 - 1


class Asked(NamedTuple):
    """What is asked of a point; `start` is included, `end` is not and is not in the future."""

    quantity: str
    channel: int
    every: models.Every
    start: datetime
    end: datetime
    zone: ZoneInfo


def parse(query: Query, zone: ZoneInfo, now: datetime) -> Asked:
    """Return what the parameters ask; raise ProblemError naming the one that is wrong."""
    quantity = query.text("quantity", "the name of a quantity, such as temperature")
    channel = query.integer("channel", low=0, high=_MAX_CHANNEL) or 0
    every = query.choice("every", get_args(models.Every), "raw")
    end = query.instant("to", zone, now)
    start = query.instant("from", zone, min(end, now) - DEFAULT_RANGE)
    if start >= end:
        raise invalid_parameter("from", "it is not before `to`", "an instant before `to`, which is now by default")
    if start >= now:
        raise invalid_parameter("from", "it is in the future", "an instant of the past")
    return Asked(quantity, channel, every, start, min(end, now), zone)


async def read(connection: asyncpg.Connection, tenant_id: int, point_id: int, asked: Asked, limit: int) -> store.Series:
    """Return the series from the store; raise ProblemError(TOO_MANY_POINTS) rather than read too much."""
    every = EVERY[asked.every]
    if every is not None:
        _refuse_many_intervals(asked, every, limit)

    async def series(every: Every | None) -> store.Series:
        return await store.series(
            connection,
            tenant_id,
            point_id,
            asked.quantity,
            asked.channel,
            start=asked.start,
            end=asked.end,
            every=every,
            zone=asked.zone,
        )

    if every is None:  # counting by days reads roll-ups, where telling samples one by one reads all of them
        days = (await series("day")).rows
        count = sum(day.samples for day in days if not isinstance(day, store.Sample))
        if count > limit:
            raise _too_many(limit, f"there are {count} measurements in this range")
    return await series(every)


def _refuse_many_intervals(asked: Asked, every: Every, limit: int) -> None:
    try:
        count = len(edges(asked.start, asked.end, every, asked.zone)) - 1
    except ValueError:  # past the store's own bound, which is higher
        count = None
    if count is None or count > limit:
        raise _too_many(limit, f"there are {count or 'very many'} intervals of {asked.every} in this range")


def _too_many(limit: int, why: str) -> ProblemError:
    return ProblemError(
        TOO_MANY_POINTS,
        f"{why}, and an answer holds {limit} at most: ask a longer `every`, or a shorter range with `from` and `to`.",
        limit=limit,
    )


def to_model(found: store.Series, asked: Asked) -> models.Series:
    """Return what the API says of a series."""
    return models.Series(
        point_id=found.point_id,
        quantity=found.quantity,
        channel=found.channel,
        kind=found.kind,
        unit=found.unit,
        every=asked.every,
        time_zone=asked.zone.key,
        start=asked.start,
        end=asked.end,
        items=[_item(row) for row in found.rows],  # type: ignore[arg-type]  # all rows are of one kind
    )


def _item(
    row: store.Sample | GaugeBucket | CounterBucket | StateBucket,
) -> models.Sample | models.GaugeBucket | models.CounterBucket | models.StateBucket:
    if isinstance(row, store.Sample):
        return models.Sample(**row._asdict())
    if isinstance(row, GaugeBucket):
        return models.GaugeBucket(**row._asdict())
    if isinstance(row, CounterBucket):
        return models.CounterBucket(**row._asdict())
    return models.StateBucket(**row._asdict())
