"""Is the process alive, can it answer, and how does it fare: /healthz, /readyz, /metrics."""

import asyncio
from typing import Final

import asyncpg
from aiohttp import web
from prometheus_client import exposition

from api.access import UNASKED, require
from api.context import reader
from api.metrics import METRICS
from store.inspection import inspect
from store.pool import TRANSIENT

READY_WITHIN_S: Final = 5


@require(UNASKED)
async def healthz(_request: web.Request) -> web.Response:
    """Answer that the process runs. Nothing else is asked: restarting it would not mend the database."""
    return web.json_response({"status": "ok"})


@require(UNASKED)
async def readyz(request: web.Request) -> web.Response:
    """Answer 200 when the database answers and its schema is this program's, 503 with the reason otherwise."""
    try:
        async with asyncio.timeout(READY_WITHIN_S), reader(request) as connection:
            reason = await _schema_mismatch(connection)
    except TRANSIENT:
        reason = "the database does not answer"
    if reason:
        return web.json_response({"status": "not ready", "reason": reason}, status=503)
    return web.json_response({"status": "ready"})


async def _schema_mismatch(connection: asyncpg.Connection) -> str:
    found = await inspect(connection)
    if found.missing:
        return "the schema is older than this program: run `samara migrate`"
    if found.breaking:
        return "the schema is newer than this program: install the version that migrated it"
    return ""


@require(UNASKED)
async def metrics(request: web.Request) -> web.Response:
    """Answer the registry in the text format of Prometheus."""
    body = exposition.generate_latest(request.app[METRICS].registry)
    return web.Response(body=body, headers={"Content-Type": exposition.CONTENT_TYPE_PLAIN_0_0_4})


ROUTES: Final = (
    web.get("/healthz", healthz),
    web.get("/readyz", readyz),
    web.get("/metrics", metrics),
)
