"""The newest frames of the network as they are stored, for its supervisors: /reseau/en-direct, server-sent events."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from api import problems
from api.access import SUPERVISE, require
from api.context import BEARER, CLOCK, HUB, POOL, RECENT, SETTINGS, reader
from api.metrics import METRICS
from api.pages import network_words, rendering
from api.pages.network_words import PARIS
from api.pages.texts import Texts
from api.problems import ProblemError
from store.access.bearer import who_is
from store.pool import TRANSIENT
from store.supervision import live_frames
from store.supervision.live_frames import LiveFrame

PATH: Final = "/reseau/en-direct"
SHOWN: Final = 15
_SINCE: Final = timedelta(minutes=15)
_PAUSE_S: Final = 1.0  # between two looks: who reads one frame after another needs no more


async def newest(request: web.Request) -> list[dict[str, str]]:
    """Return the newest frames in words, the newest first: of the devices that this process was told of."""
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    devices = request.app[RECENT].devices
    if not devices:
        return []
    async with reader(request) as connection:
        found = await live_frames.newest(connection, devices, now - _SINCE, SHOWN)
    return lines(found, texts)


def lines(found: Sequence[LiveFrame], texts: Texts) -> list[dict[str, str]]:
    """Return frames in words: the sensor and its page, when, and how it was heard."""
    return [
        {
            "name": one.name or one.dev_eui,
            "href": f"/reseau/capteurs/{one.dev_eui}",
            "at": one.received_at.astimezone(PARIS).strftime("%H:%M:%S"),
            "said": " · ".join(_said(one, texts)),
        }
        for one in found
    ]


def _said(one: LiveFrame, texts: Texts) -> list[str]:
    parts = [one.tenant, f"FCnt {one.f_cnt}"]
    if one.spreading_factor:
        parts.append(f"SF{one.spreading_factor}")
    if one.gateways:
        parts.append(texts.plural("net.live.antennas", one.gateways))
    if one.best:
        parts.append(texts("net.live.best", name=one.best))
    if one.rssi_dbm is not None:
        parts.append(f"RSSI {network_words.power(one.rssi_dbm, texts)}")
    if one.snr_db is not None:
        parts.append(f"SNR {network_words.decibels(one.snr_db, texts)}")
    return [*parts, texts(f"net.outcome.{one.outcome}")]


@require(SUPERVISE)
async def stream(request: web.Request) -> web.StreamResponse:
    """Stream the newest frames: an event `frames` each time that there are others."""
    rendering.query(request)
    settings = request.app[SETTINGS]
    if request.app[HUB].open_streams + request.app[RECENT].readers >= settings.max_live_streams:
        raise ProblemError(problems.TOO_MANY_STREAMS)
    response = EventSourceResponse(
        sep="\n", ping_interval=settings.live_heartbeat_s, send_timeout=settings.live_send_timeout_s
    )
    await response.prepare(request)
    with request.app[METRICS].live_streams.track_inprogress(), request.app[RECENT].reading():
        async with response, asyncio.TaskGroup() as group:
            sender = group.create_task(_send(request, response))
            await response.wait()
            sender.cancel()
    return response


async def _send(request: web.Request, response: EventSourceResponse) -> None:
    recent, told = request.app[RECENT], ""
    try:
        while not recent.is_closed and await _may(request):
            changed = recent.changed
            said = json.dumps(await newest(request), ensure_ascii=False)
            if said != told:
                told = said
                await response.send(said, event="frames")
            await asyncio.sleep(_PAUSE_S)
            await changed.wait()
    except TRANSIENT:  # the reader left, or the database is away: whoever follows comes again
        pass
    response.stop_streaming()


async def _may(request: web.Request) -> bool:
    """Say whether whoever follows still may: their session can end while the page stays open."""
    account = await who_is(request.app[POOL], request[BEARER])
    return account is not None and SUPERVISE in account.permissions


ROUTES: Final = (web.get(PATH, stream),)
