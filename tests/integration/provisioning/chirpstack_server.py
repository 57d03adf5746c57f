"""A ChirpStack of the tests: its DeviceService, by the official protos, with the rules that matter.

A tenant's key is told `unauthenticated`, without a word, of what is not its tenant's; a DevEUI is there once.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn
from uuid import UUID, uuid4

import grpc
from chirpstack_api.api import device_pb2 as api
from chirpstack_api.api.device_pb2_grpc import DeviceServiceServicer, add_DeviceServiceServicer_to_server
from google.protobuf.empty_pb2 import Empty

APPLICATION = "5b0a0f0e-6a7a-4c5c-9a10-0d6f3f6c2a01"
OTHER_APPLICATION = "5b0a0f0e-6a7a-4c5c-9a10-0d6f3f6c2a02"
FOREIGN_APPLICATION = "5b0a0f0e-6a7a-4c5c-9a10-0d6f3f6c2a03"  # of another tenant there
PROFILE = "7c7b1f4e-10a8-4a55-8a6a-4b1f1d7f0001"
OTHER_PROFILE = "7c7b1f4e-10a8-4a55-8a6a-4b1f1d7f0002"
TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJjaGlycHN0YWNrIn0.tests"
OURS = {APPLICATION, OTHER_APPLICATION}

Code = grpc.StatusCode


class ChirpStackServer(DeviceServiceServicer):
    """What it has, what it was asked, and how it fails when told to."""

    def __init__(self) -> None:
        self.address = ""
        self.token = TOKEN
        self.devices: dict[str, Any] = {}
        self.keys: dict[str, Any] = {}
        self.queue: list[Any] = []  # of all devices
        self.enqueued: list[Any] = []  # whatever became of it
        self.meanwhile: Callable[[str], Awaitable[None]] | None = None  # before an item's number is answered
        self.calls: Counter[str] = Counter()
        self.failures: dict[tuple[str, str], list[grpc.StatusCode]] = {}  # (call, DevEUI or ""): what to answer next
        self.late: set[str] = set()  # calls that do their work, and then answer nothing in time

    def fail(self, call: str, dev_eui: str, *codes: grpc.StatusCode) -> None:
        self.failures.setdefault((call, dev_eui), []).extend(codes)

    async def _begin(self, call: str, context: Any, dev_eui: str = "") -> None:
        self.calls[call] += 1
        said = dict(context.invocation_metadata()).get("authorization")
        if said != f"Bearer {self.token}":
            await context.abort(Code.UNAUTHENTICATED, f"invalid token {said}")
        waiting = self.failures.get((call, dev_eui)) or self.failures.get((call, ""))
        if waiting:
            await context.abort(waiting.pop(0), "as the test says")

    async def _end(self, call: str, context: Any) -> None:
        if call in self.late:
            self.late.remove(call)
            await context.abort(Code.DEADLINE_EXCEEDED, "the answer was lost")

    async def _own(self, context: Any, dev_eui: str) -> Any:
        device = self.devices.get(dev_eui)
        if device is None or device.application_id not in OURS:
            await context.abort(Code.UNAUTHENTICATED, "")
        return device

    async def Create(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        device = request.device
        await self._begin("Create", context, device.dev_eui)
        await _uuids(context, device.application_id, device.device_profile_id)
        if device.application_id not in OURS:
            await context.abort(Code.UNAUTHENTICATED, "")
        if device.dev_eui in self.devices:
            await context.abort(Code.ALREADY_EXISTS, f"Object already exists (id: {device.dev_eui})")
        self.devices[device.dev_eui] = device
        await self._end("Create", context)
        return Empty()

    async def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        await self._begin("Get", context, request.dev_eui)
        return api.GetDeviceResponse(device=await self._own(context, request.dev_eui))

    async def Update(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        await self._begin("Update", context, request.device.dev_eui)
        await self._own(context, request.device.dev_eui)
        self.devices[request.device.dev_eui] = request.device
        return Empty()

    async def Delete(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        await self._begin("Delete", context, request.dev_eui)
        await self._own(context, request.dev_eui)
        del self.devices[request.dev_eui]
        self.keys.pop(request.dev_eui, None)
        return Empty()

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        await self._begin("List", context)
        if request.application_id not in OURS:
            await context.abort(Code.UNAUTHENTICATED, "")
        found = [one for _, one in sorted(self.devices.items()) if one.application_id == request.application_id]
        page = found[request.offset : request.offset + request.limit]
        return api.ListDevicesResponse(
            total_count=len(found),
            result=[
                api.DeviceListItem(dev_eui=one.dev_eui, name=one.name, device_profile_id=one.device_profile_id)
                for one in page
            ],
        )

    async def CreateKeys(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        keys = request.device_keys
        await self._begin("CreateKeys", context, keys.dev_eui)
        await self._own(context, keys.dev_eui)
        if keys.dev_eui in self.keys:
            await context.abort(Code.ALREADY_EXISTS, f"Object already exists (id: {keys.dev_eui})")
        self.keys[keys.dev_eui] = keys
        await self._end("CreateKeys", context)
        return Empty()

    async def UpdateKeys(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        keys = request.device_keys
        await self._begin("UpdateKeys", context, keys.dev_eui)
        await self._own(context, keys.dev_eui)
        self.keys[keys.dev_eui] = keys
        return Empty()

    async def Enqueue(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        item = api.DeviceQueueItem()
        item.CopyFrom(request.queue_item)
        await self._begin("Enqueue", context, item.dev_eui)
        await self._own(context, item.dev_eui)
        item.id = str(uuid4())  # whatever number it was given
        self.queue.append(item)
        self.enqueued.append(item)
        if self.meanwhile is not None:
            await self.meanwhile(item.id)
        await self._end("Enqueue", context)
        return api.EnqueueDeviceQueueItemResponse(id=item.id)

    async def GetQueue(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        await self._begin("GetQueue", context, request.dev_eui)
        await self._own(context, request.dev_eui)
        found = [one for one in self.queue if one.dev_eui == request.dev_eui]
        return api.GetDeviceQueueItemsResponse(total_count=len(found), result=found)

    async def FlushQueue(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        await self._begin("FlushQueue", context, request.dev_eui)
        await self._own(context, request.dev_eui)
        self.queue = [one for one in self.queue if one.dev_eui != request.dev_eui]
        return Empty()


async def _uuids(context: Any, *said: str) -> None:
    for one in said:
        try:
            UUID(one)
        except ValueError:
            await _invalid(context, f"invalid UUID {one!r}")


async def _invalid(context: Any, why: str) -> NoReturn:
    await context.abort(Code.INVALID_ARGUMENT, why)
    raise AssertionError


def device(dev_eui: str, name: str, **other: str) -> Any:
    """A device as somebody registered it there."""
    values = {"application_id": APPLICATION, "device_profile_id": PROFILE, "join_eui": "0000000000000000", **other}
    return api.Device(dev_eui=dev_eui, name=name, **values)


@asynccontextmanager
async def serving() -> AsyncIterator[ChirpStackServer]:
    server, service = grpc.aio.server(), ChirpStackServer()
    add_DeviceServiceServicer_to_server(service, server)
    service.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield service
    finally:
        await server.stop(None)
