"""The latest values of a tenant as they are committed, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from api import problems, tenancy
from api.access import READ, require
from api.context import BEARER, HUB, SETTINGS, reader
from api.endpoint import get
from api.live import Event
from api.metrics import METRICS
from api.parameters import OfTenant
from api.problems import ProblemError

PATH: Final = "/api/v1/live"


@require(READ)
async def live(request: web.Request) -> web.StreamResponse:
    """Stream the latest values of a tenant as they are committed.

    Server-sent events: `snapshot` (every latest value), then `values` (those that changed). A reader that comes back
    with `Last-Event-ID` gets what it missed.
    """
    settings, streams = request.app[SETTINGS], request.app[METRICS].live_streams
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
    hub = request.app[HUB]
    if hub.open_streams >= settings.max_live_streams:
        raise ProblemError(problems.TOO_MANY_STREAMS)
    response = EventSourceResponse(
        sep="\n", ping_interval=settings.live_heartbeat_s, send_timeout=settings.live_send_timeout_s
    )
    async with hub.stream(tenant.tenant_id, request[BEARER], request.headers.get("Last-Event-ID")) as events:
        await response.prepare(request)
        with streams.track_inprogress():
            async with response, asyncio.TaskGroup() as group:
                sender = group.create_task(_send(response, events))
                await response.wait()  # ends when the reader is gone, or when nothing more will be sent
                sender.cancel()
    return response


async def _send(response: EventSourceResponse, events: AsyncIterator[Event]) -> None:
    try:
        async for event in events:
            await response.send(event.data, id=event.event_id, event=event.name)
    except (ConnectionResetError, TimeoutError):
        return  # the reader left, or reads nothing any more: `send` has stopped the response
    response.stop_streaming()


ROUTES: Final = (get(PATH, live, query=OfTenant, media=("text/event-stream",), problems=(problems.TOO_MANY_STREAMS,)),)
