"""A ChirpStack v4 as a program sees it over gRPC: devices, their keys, and the queues of downlinks for them.

    network = Network(devices)
    async with network.serving(token) as address: …
    network.leaving(dev_eui, now)   # the downlink that goes out after an uplink of this device

Source: the messages of the package `chirpstack-api` (device.proto); what ChirpStack 4 answers
(chirpstack/src/api/device.rs): an item is numbered whatever number is given, a queue is emptied as a whole.
"""

import uuid
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from chirpstack_api.api import device_pb2 as api  # type: ignore[import-untyped]
from chirpstack_api.api.device_pb2_grpc import (  # type: ignore[import-untyped]
    DeviceServiceServicer,
    add_DeviceServiceServicer_to_server,
)
from google.protobuf.empty_pb2 import Empty

from simulators.chirpstack import Device, Item

_LONGEST_QUEUE: Final = 100


class Network:
    """Devices of one application, and what waits for each."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = {
            one.dev_eui: api.Device(
                dev_eui=one.dev_eui,
                name=one.name,
                application_id=one.application_id,
                device_profile_id=one.profile_id,
                join_eui="0" * 16,
            )
            for one in devices
        }
        self._keys: dict[str, Any] = {}
        self._queues: dict[str, deque[Any]] = defaultdict(deque)

    def leaving(self, dev_eui: str, now: datetime) -> Item | None:
        """Return the oldest downlink for a device and take it out of its queue; what has expired is thrown away."""
        queue = self._queues.get(dev_eui)
        while queue:
            item = queue.popleft()
            ends = item.expires_at.ToDatetime(UTC) if item.HasField("expires_at") else None
            if ends is None or ends > now:
                return Item(item.id, item.f_port, item.data, item.confirmed)
        return None

    @asynccontextmanager
    async def serving(self, token: str) -> AsyncIterator[str]:
        """Serve on a free port of this machine, to who has the token; give the address."""
        server = grpc.aio.server()
        add_DeviceServiceServicer_to_server(_Service(self._devices, self._keys, self._queues, token), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await server.stop(None)


class _Service(DeviceServiceServicer):  # type: ignore[misc]
    """ChirpStack's DeviceService, as far as a program registers devices and sends them something."""

    def __init__(
        self, devices: dict[str, Any], keys: dict[str, Any], queues: dict[str, deque[Any]], token: str
    ) -> None:
        self._devices = devices
        self._keys = keys
        self._queues = queues
        self._token = f"Bearer {token}"

    async def _let_in(self, context: Any, dev_eui: str | None = None) -> None:
        """Refuse who has no token; of a device that is not there it says no more than that."""
        said = dict(context.invocation_metadata()).get("authorization")
        if said != self._token or (dev_eui is not None and dev_eui not in self._devices):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "")

    async def Create(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        """Register a device."""
        await self._let_in(context)
        if request.device.dev_eui in self._devices:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "Object already exists")
        self._devices[request.device.dev_eui] = request.device
        return Empty()

    async def Get(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        """Answer a device."""
        await self._let_in(context, request.dev_eui)
        return api.GetDeviceResponse(device=self._devices[request.dev_eui])

    async def Update(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        """Replace a device."""
        await self._let_in(context, request.device.dev_eui)
        self._devices[request.device.dev_eui] = request.device
        return Empty()

    async def Delete(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        """Take a device away."""
        await self._let_in(context, request.dev_eui)
        for held in (self._devices, self._keys, self._queues):
            held.pop(request.dev_eui, None)
        return Empty()

    async def List(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        """Answer some of the devices, in the order of their DevEUIs."""
        await self._let_in(context)
        found = [one for _, one in sorted(self._devices.items()) if one.application_id == request.application_id]
        items = [
            api.DeviceListItem(dev_eui=one.dev_eui, name=one.name, device_profile_id=one.device_profile_id)
            for one in found[request.offset : request.offset + request.limit]
        ]
        return api.ListDevicesResponse(total_count=len(found), result=items)

    async def CreateKeys(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        """Keep the keys of a device that has none."""
        await self._let_in(context, request.device_keys.dev_eui)
        if request.device_keys.dev_eui in self._keys:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "Object already exists")
        self._keys[request.device_keys.dev_eui] = request.device_keys
        return Empty()

    async def UpdateKeys(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        """Replace the keys of a device."""
        await self._let_in(context, request.device_keys.dev_eui)
        self._keys[request.device_keys.dev_eui] = request.device_keys
        return Empty()

    async def Enqueue(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        """Put a downlink at the end of a queue, under a number of our own."""
        await self._let_in(context, request.queue_item.dev_eui)
        queue = self._queues[request.queue_item.dev_eui]
        if len(queue) >= _LONGEST_QUEUE:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "the queue is full")
        request.queue_item.id = str(uuid.uuid4())
        queue.append(request.queue_item)
        return api.EnqueueDeviceQueueItemResponse(id=request.queue_item.id)

    async def GetQueue(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the RPC
        """Answer what waits for a device."""
        await self._let_in(context, request.dev_eui)
        found = list(self._queues.get(request.dev_eui, ()))
        return api.GetDeviceQueueItemsResponse(total_count=len(found), result=found)

    async def FlushQueue(self, request: Any, context: Any) -> Empty:  # noqa: N802 - the name of the RPC
        """Forget what waits for a device."""
        await self._let_in(context, request.dev_eui)
        self._queues.pop(request.dev_eui, None)
        return Empty()
