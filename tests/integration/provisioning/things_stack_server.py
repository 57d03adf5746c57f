"""A Things Stack of the tests: its four registries of end devices, and search, as its documentation has them."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

APP = "meters"
PROFILE = "EU_863_870_TTN/MAC_V1_0_3/PHY_V1_0_3_REV_A"
TOKEN = "NNSXS.ABCDEFGHIJKLMNOPQRSTUVWXYZ.ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
NETWORK = ("frequency_plan_id", "lorawan_version", "lorawan_phy_version")


class ThingsStackServer:
    """What it has by registry ("" is the identity server's), and how it fails when told to."""

    def __init__(self) -> None:
        self.address = ""
        self.registries: dict[str, dict[str, dict[str, Any]]] = {"": {}, "js": {}, "ns": {}, "as": {}}
        self.taken: set[str] = set()  # DevEUIs of other applications
        self.calls: Counter[str] = Counter()
        self.queues: dict[str, list[dict[str, Any]]] = {}  # of downlinks, by device
        self.is_late = False  # the next downlink is taken, and the answer lost
        self.instead: bytes | None = None  # what lists answer instead
        self.failures: dict[str, list[int]] = {}  # "PUT ns": what to answer next

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        call = f"{request.method} {request.match_info.get('registry', '')}".strip()
        self.calls[call] += 1
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"code": 16, "message": "error:pkg/auth: token"}, status=401)
        if self.failures.get(call):
            status = self.failures[call].pop(0)
            return web.json_response({"code": 14, "message": "as the test says"}, status=status)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def create(self, request: web.Request) -> web.Response:
        device = (await request.json())["end_device"]
        ids = device["ids"]
        held = {one["ids"]["dev_eui"] for one in self.registries[""].values()} | self.taken
        if ids["dev_eui"] in held or ids["device_id"] in self.registries[""]:
            return web.json_response(
                {"code": 6, "message": "error:pkg/identityserver: end_device_euis_taken"}, status=409
            )
        self.registries[""][ids["device_id"]] = device
        return web.json_response(device)

    async def set(self, request: web.Request) -> web.Response:
        body, registry = await request.json(), request.match_info.get("registry", "")
        device = body["end_device"]
        device_id = request.match_info["device"]
        if not registry and device_id not in self.registries[""]:
            return web.json_response({"code": 5, "message": "not found"}, status=404)
        kept = self.registries[registry].setdefault(device_id, {"ids": device["ids"]})
        for path in body["field_mask"]["paths"]:
            first = path.split(".")[0]
            if first != "ids":
                kept[first] = device[first]
        return web.json_response(kept)

    async def get(self, request: web.Request) -> web.Response:
        found = self.registries[request.match_info.get("registry", "")].get(request.match_info["device"])
        if found is None:
            return web.json_response({"code": 5, "message": "not found"}, status=404)
        return web.json_response(_masked(found, request))

    async def delete(self, request: web.Request) -> web.Response:
        registry = self.registries[request.match_info.get("registry", "")]
        if registry.pop(request.match_info["device"], None) is None:
            return web.json_response({"code": 5, "message": "not found"}, status=404)
        return web.json_response({})

    async def list(self, request: web.Request) -> web.Response:
        if self.instead is not None:
            return web.Response(body=self.instead, content_type="application/json")
        wanted = request.query.get("dev_eui_contains", "")
        found = [one for _, one in sorted(self.registries[""].items()) if wanted in one["ids"]["dev_eui"]]
        limit, page = int(request.query.get("limit", 20)), int(request.query.get("page", 1))
        shown = [_masked(one, request) for one in found[limit * (page - 1) : limit * page]]
        return web.json_response({"end_devices": shown} if shown else {})

    async def push(self, request: web.Request) -> web.Response:
        return await self._queued(request, self.queues.get(request.match_info["device"], []))

    async def replace(self, request: web.Request) -> web.Response:
        return await self._queued(request, [])

    async def _queued(self, request: web.Request, before: Sequence[dict[str, Any]]) -> web.Response:
        device = request.match_info["device"]
        if device not in self.registries[""]:
            return web.json_response({"code": 5, "message": "not found"}, status=404)
        self.queues[device] = [*before, *(await request.json())["downlinks"]]
        if self.is_late:
            self.is_late = False
            return web.json_response({"code": 14, "message": "the answer was lost"}, status=503)
        return web.json_response({})

    async def waiting(self, request: web.Request) -> web.Response:
        found = self.queues.get(request.match_info["device"], [])
        return web.json_response({"downlinks": found} if found else {})

    def add(self, device_id: str, dev_eui: str, name: str, join_eui: str = "0" * 16) -> None:
        """Register a device as somebody did by hand."""
        ids = {"device_id": device_id, "dev_eui": dev_eui.upper(), "join_eui": join_eui.upper()}
        self.registries[""][device_id] = {"ids": ids, "name": name}
        plan = dict(zip(NETWORK, PROFILE.split("/"), strict=True))
        self.registries["ns"][device_id] = {"ids": ids, **plan}


def _masked(device: dict[str, Any], request: web.Request) -> dict[str, Any]:
    fields = {"ids", *request.query.get("field_mask", "").split(",")}
    return {name: value for name, value in device.items() if name in fields}


@asynccontextmanager
async def serving() -> AsyncIterator[ThingsStackServer]:
    server = ThingsStackServer()
    app = web.Application(middlewares=[server.guard])
    devices = f"/applications/{APP}/devices"
    one, other = f"/api/v3{devices}/{{device}}", f"/api/v3/{{registry:js|ns|as}}{devices}/{{device}}"
    queue = f"/api/v3/as{devices}/{{device}}/down"
    app.add_routes([
        web.post(f"/api/v3{devices}", server.create),
        web.get(f"/api/v3{devices}", server.list),
        web.get(f"/api/v3/search{devices}", server.list),
        *(web.route(method, path, handler)
          for path in (one, other)
          for method, handler in (("GET", server.get), ("PUT", server.set), ("DELETE", server.delete))),
        web.get(f"{queue}", server.waiting),
        web.post(f"{queue}/push", server.push),
        web.post(f"{queue}/replace", server.replace),
    ])  # fmt: skip
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
