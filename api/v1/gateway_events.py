"""What network servers told of the relay antennas, for who looks after the network."""

import json
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field, StringConstraints

from api import models
from api.access import SUPERVISE, require
from api.context import CLOCK, reader
from api.endpoint import get
from api.parameters import Paged, Period
from api.v1.uplinks import LASTING, before_of, next_cursor
from store.reading.gateway_events import gateway_events

PATH: Final = "/api/v1/gateways/events"
_ZONE: Final = ZoneInfo("Europe/Paris")


class GatewayEventsQuery(Paged, Period):
    """Which events of gateways: by default those of the last 7 days."""

    gateway_eui: Annotated[
        Annotated[str, StringConstraints(pattern="^[0-9a-f]{1,32}$")] | None,
        Field(description="of one gateway: its EUI, lower-case hexadecimal"),
    ] = None
    kind: Annotated[
        Annotated[str, StringConstraints(pattern="^[a-z_]{1,32}$")] | None, Field(description="of one kind: stats…")
    ] = None


class GatewayEvent(models.Resource):
    """One event. `data` depends on its kind."""

    received_at: datetime
    gateway_eui: str
    kind: str
    data: dict[str, Any]


@require(SUPERVISE)
async def list_gateway_events(request: web.Request, query: GatewayEventsQuery) -> models.Page[GatewayEvent]:
    """List what was told of the gateways, the newest first."""
    start, end = query.bounds(_ZONE, request.app[CLOCK](), LASTING)
    before = before_of("gatewayevents", query.cursor)
    async with reader(request) as connection:
        found = await gateway_events(
            connection, query.gateway_eui, query.kind, start=start, end=end, before=before, limit=query.limit + 1
        )
    items = [
        GatewayEvent(received_at=one.received_at, gateway_eui=one.gateway_eui, kind=one.kind, data=json.loads(one.data))
        for one in found[: query.limit]
    ]
    return models.Page[GatewayEvent](items=items, next_cursor=next_cursor("gatewayevents", found, query.limit))


ROUTES: Final = (get(PATH, list_gateway_events),)
