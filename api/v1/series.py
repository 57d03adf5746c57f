"""GET /api/v1/points/{id}/series: one quantity of a point over time, as measured or by intervals."""

from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api import series, tenancy
from api.answers import json_answer
from api.context import CLOCK, SETTINGS, reader
from api.query import MAX_ID, Query
from domain.errors import NotFoundError

PATH: Final = "/api/v1/points/{id}/series"


async def point_series(request: web.Request) -> web.Response:
    """Answer the series; refuse what would hold more points than `max_series_points`."""
    query = Query(request, series.PARAMETERS)
    point_id = _point_id(request)
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        asked = series.parse(query, ZoneInfo(tenant.time_zone), request.app[CLOCK]())
        limit = request.app[SETTINGS].max_series_points
        found = await series.read(connection, tenant.tenant_id, point_id, asked, limit)
    return json_answer(request, series.to_model(found, asked))


def _point_id(request: web.Request) -> int:
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_ID):
        raise NotFoundError
    return int(text)


ROUTES: Final = (web.get(PATH, point_series),)
