"""Quantities of points over time, as measured or by intervals: of one point, or of several at once."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from api import models, series, tenancy
from api.access import READ, require
from api.context import CLOCK, SETTINGS, reader
from api.endpoint import get
from api.parameters import COMMAS, Channel, Id, IdPath, QuantityName
from api.problems import TOO_MANY_POINTS, ProblemError

OF_POINT: Final = "/api/v1/points/{id}/series"
OF_POINTS: Final = "/api/v1/series"
_MOST_POINTS: Final = 50
_MOST_QUANTITIES: Final = 10
_FACTOR: Final = 10  # an answer of several series holds so many times what one may hold


class ManyQuery(series.Cut):
    """Quantities of several points."""

    points: Annotated[
        list[Id],
        Field(min_length=1, max_length=_MOST_POINTS, description="ids of points, with commas", examples=["1,2"]),
        COMMAS,
    ]
    quantity: Annotated[
        list[QuantityName],
        Field(min_length=1, max_length=_MOST_QUANTITIES, description="names of quantities, with commas"),
        COMMAS,
    ]
    channel: Channel = 0


@require(READ)
async def point_series(request: web.Request, path: IdPath, query: series.SeriesQuery) -> models.Series:
    """Tell one quantity of a point over time.

    By intervals, a gauge has minimum, mean, maximum and last; a counter its increase, across resets and replaced
    meters; a state its last and the share of time spent at 1. Intervals without measurement are there, with nulls.
    """
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        asked = series.parse(query, query.quantity, query.channel, zone, request.app[CLOCK]())
        limit = request.app[SETTINGS].max_series_points
        found = await series.read(connection, tenant.tenant_id, path.id, asked, limit)
    return series.to_model(found, asked)


@require(READ)
async def many_series(request: web.Request, query: ManyQuery) -> models.SeriesSet:
    """Tell quantities of several points over one period, cut alike."""
    limit, told, rows = request.app[SETTINGS].max_series_points, [], 0
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        for point_id in dict.fromkeys(query.points):
            for quantity in dict.fromkeys(query.quantity):
                asked = series.parse(query, quantity, query.channel, zone, request.app[CLOCK]())
                found = await series.read(connection, tenant.tenant_id, point_id, asked, limit)
                rows += len(found.series.rows) + len(found.previous or ())
                if rows > _FACTOR * limit:
                    detail = f"all series together hold more than {_FACTOR * limit}: ask fewer, or a longer `every`."
                    raise ProblemError(TOO_MANY_POINTS, detail, limit=_FACTOR * limit)
                told.append(series.to_model(found, asked))
    return models.SeriesSet.model_construct(series=told)


_PROBLEMS: Final = (TOO_MANY_POINTS,)
ROUTES: Final = (get(OF_POINT, point_series, problems=_PROBLEMS), get(OF_POINTS, many_series, problems=_PROBLEMS))
