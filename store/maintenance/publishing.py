"""Open data is brought up to yesterday, dataset by dataset, through the gate of domain/personal.py each time."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from domain.personal import Figure, published, refusal
from store import open_data, open_publishing
from store.open_data import Dataset, Series
from store.reading.buckets import CounterBucket, GaugeBucket
from store.reading.every import edges, floor
from store.reading.series import intervals

_AT_ONCE: Final = 5  # datasets of one round
_LONGEST: Final = timedelta(days=31)  # of a dataset's past, in one round
LATE: Final = timedelta(days=7)  # what came late is published until then


class Portion(NamedTuple):
    """What of a dataset is published anew: from `start` until `end`, excluded."""

    start: datetime
    end: datetime


def portion(since: datetime, published_to: datetime | None, zone: ZoneInfo, now: datetime) -> Portion | None:
    """Return what to publish: the days that are over, a month at most, the last week again. Pure."""
    start = floor(since if published_to is None else max(since, published_to - LATE), "day", zone)
    end = floor(min(now, max(published_to or since, since) + _LONGEST), "day", zone)
    return Portion(start, end) if start < end and end != published_to else None


async def publish(connection: asyncpg.Connection, now: datetime) -> int:
    """Publish what is over of the datasets that are behind, a few of them; return of how many something was."""
    done = 0
    for one in await open_data.behind(connection, now, _AT_ONCE):
        async with connection.transaction():
            done += await _publish(connection, one, now)
    return done


async def _publish(connection: asyncpg.Connection, one: Dataset, now: datetime) -> bool:
    found = await open_data.series_of(connection, one.tenant_id, one.quantities)
    why = refusal(one.grain, one.every, [series.candidate for series in found])
    if why:  # a point became somebody's since
        await open_publishing.mark_refused(connection, one, why, now)
        return False
    zone = await open_publishing.zone_of(connection, one.tenant_id)
    todo = portion(one.since, one.published_to, zone, now)
    if todo is None:
        return False
    figures = [
        figure
        for series in found
        if (
            series.weight >= 0 if one.grain == "point" else series.weight != 0
        )  # a site counts what is behind a meter once
        for figure in await _figures(connection, one, series, todo, zone)
    ]
    await open_publishing.replace_rows(connection, one.dataset_id, todo.start, published(one.grain, one.every, figures))
    await open_publishing.mark_published(connection, one, todo.end, now)
    return True


async def _figures(
    connection: asyncpg.Connection, one: Dataset, series: Series, todo: Portion, zone: ZoneInfo
) -> list[Figure]:
    bounds = edges(todo.start, todo.end, one.every, zone)
    of_series = (one.tenant_id, series.point_id, series.quantity, series.channel)
    told = await intervals(connection, *of_series, bounds=bounds)
    sign = -1 if series.weight < 0 else 1
    return [
        Figure(
            site_id=series.site_id,
            point_id=series.point_id,
            quantity=series.quantity,
            channel=series.channel,
            start=row.start,
            personal=series.personal,
            samples=row.samples,
            minimum=row.minimum if isinstance(row, GaugeBucket) else None,
            mean=row.mean if isinstance(row, GaugeBucket) else None,
            maximum=row.maximum if isinstance(row, GaugeBucket) else None,
            increase=sign * row.increase if isinstance(row, CounterBucket) and row.increase is not None else None,
        )
        for row in told.rows
        if isinstance(row, GaugeBucket | CounterBucket)  # what states are published as is not decided
    ]
