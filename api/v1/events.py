"""What network servers told of a tenant's devices that is not an uplink: joins, statuses, logs."""

import json
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field, StringConstraints

from api import models, tenancy
from api.access import HEALTH, require
from api.context import CLOCK, reader
from api.endpoint import get
from api.v1.uplinks import FramesQuery, asked_of, next_cursor
from store.reading import frames

PATH: Final = "/api/v1/events"


class EventsQuery(FramesQuery):
    """Which events of a tenant's devices: by default those of the last 7 days."""

    kind: Annotated[
        Annotated[str, StringConstraints(pattern="^[a-z_]{1,32}$")] | None,
        Field(description="of one kind: join, status, log…"),
    ] = None


class Event(models.Resource):
    """One event. `data` depends on its kind."""

    received_at: datetime
    dev_eui: str
    kind: str
    data: dict[str, Any]


@require(HEALTH)
async def list_events(request: web.Request, query: EventsQuery) -> models.Page[Event]:
    """List the joins, statuses and logs of a tenant's devices, the newest first."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        asked = asked_of(query, "events", tenant.tenant_id, ZoneInfo(tenant.time_zone), request.app[CLOCK]())
        found = await frames.events(connection, asked, query.kind)
    items = [
        Event(received_at=one.received_at, dev_eui=one.dev_eui, kind=one.kind, data=json.loads(one.data))
        for one in found[: query.limit]
    ]
    return models.Page[Event](items=items, next_cursor=next_cursor("events", found, query.limit))


ROUTES: Final = (get(PATH, list_events),)
