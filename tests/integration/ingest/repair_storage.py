"""The Things Stack's storage integration as its documents describe it, with the faults that a test asks for.

It stands for a server that cannot be had here; what it holds is given by the test. Its faults come one a request,
in the order given: "ok", "cut" and "short" (midway, broken or ended), "error" (an error object in the stream), or
a status.
"""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiohttp import web

APPLICATION = "meters"
KEY = "NNSXS.right"
LIMIT = 1000


class Storage:
    def __init__(self, messages: Iterable[dict[str, Any]], *, may_list: bool = True) -> None:
        self.messages = sorted(messages, key=lambda one: one["received_at"])
        self.raw: list[bytes] = []  # lines that are no message, sent first
        self.faults: list[str] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.may_list = may_list
        self.url = ""

    async def listed(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._refused(request)) is not None:
            return refused
        if not self.may_list:
            return _error(403, 7, "error:pkg/auth/rights:insufficient_application_rights")
        ids = {one["end_device_ids"]["device_id"]: one["end_device_ids"] for one in self.messages}
        page, limit = int(request.query["page"]), int(request.query["limit"])
        found = [{"ids": one} for one in ids.values()][(page - 1) * limit : page * limit]
        return web.json_response({"end_devices": found} if found else {})

    async def stored(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._refused(request)) is not None:
            return refused
        assert request.headers["Accept"] == "text/event-stream"
        query = request.query
        if int(query["limit"]) > LIMIT:
            return _error(400, 3, "limit")
        fault = self.faults.pop(0) if self.faults else "ok"
        if fault == "429":
            return _error(429, 8, "rate exceeded", {"X-Rate-Limit-Retry": "6"})
        if fault == "503":
            return _error(503, 14, "unavailable", {"Retry-After": "9"})
        if fault.isdigit():
            return _error(int(fault), 2, "internal")
        after, before = (datetime.fromisoformat(query[name]) for name in ("after", "before"))
        chosen = [
            one
            for one in self.messages
            if after < datetime.fromisoformat(one["received_at"]) < before
            and request.match_info.get("device") in {None, one["end_device_ids"]["device_id"]}
        ]
        return await self._stream(request, chosen[: int(query["limit"])], fault)

    async def _stream(self, request: web.Request, chosen: Sequence[dict[str, Any]], fault: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        lines = [*self.raw, *(json.dumps({"result": one}).encode() for one in chosen)]
        half = len(lines) // 2
        for at, line in enumerate(lines):
            if fault == "cut" and at >= half:
                await response.write(line[:100])
                assert request.transport is not None
                request.transport.abort()
                return response
            if fault == "short" and at >= half:
                await response.write(line[:100])
                break
            if fault == "error" and at >= half:
                await response.write(b'{"error":{"code":13,"message":"database went away"}}\n\n')
                return response
            await response.write(line + b"\n\n")
        await response.write_eof()
        return response

    def _refused(self, request: web.Request) -> web.StreamResponse | None:
        self.asked.append((request.path, dict(request.query)))
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, 16, "error:pkg/auth:invalid_token")
        if request.match_info["application"] != APPLICATION:
            return _error(404, 5, "application not found")
        return None


def _error(status: int, code: int, said: str, headers: dict[str, str] | None = None) -> web.StreamResponse:
    return web.json_response({"code": code, "message": said, "details": []}, status=status, headers=headers)


@asynccontextmanager
async def serving(storage: Storage) -> AsyncIterator[Storage]:
    app = web.Application()
    root = "/api/v3/as/applications/{application}"
    app.router.add_get(f"{root}/packages/storage/uplink_message", storage.stored)
    app.router.add_get(f"{root}/devices/{{device}}/packages/storage/uplink_message", storage.stored)
    app.router.add_get("/api/v3/applications/{application}/devices", storage.listed)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    storage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield storage
    finally:
        await runner.cleanup()
