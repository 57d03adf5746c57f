"""ChirpStack v4, by its gRPC API.

Source: the messages of the package `chirpstack-api` (device.proto), and what ChirpStack 4 answers
(chirpstack/src/api/device.rs, api/auth/validator.rs).

  profile       the UUID of a device profile
  application   the UUID of an application
  token         an API key: of the tenant, or an administrator's

A key of the tenant is told `unauthenticated`, without a word, of a device that does not exist: so a device is created
first, and only looked at when it is there already. LoRaWAN 1.0's AppKey goes into the field `nwk_key`.

The queue of a device: ChirpStack numbers what is put there, whatever number is given, and takes away all or nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from chirpstack_api.api import device_pb2 as api  # type: ignore[import-untyped]
from chirpstack_api.api.device_pb2_grpc import DeviceServiceStub  # type: ignore[import-untyped]

from alerting.provisioning.door import Place
from alerting.provisioning.errors import ServerError
from alerting.provisioning.servers import TakenBack
from domain.downlinks import Outgoing, Queued
from domain.provisioning import RootKeys, There, Wanted
from store.provisioning.servers import Access

NAME: Final = "chirpstack"

_PAGE: Final = 500
_AT_ONCE: Final = 8
_NO_JOIN_EUI: Final = "0000000000000000"  # how it tells that it knows none
_PERMANENT: Final = frozenset({
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
})  # fmt: skip
_NOT_OURS: Final = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})

Call = Callable[..., Awaitable[Any]]


class _RefusedError(ServerError):
    """What ChirpStack answered instead, with its code."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        said = f"ChirpStack answered {code.name.lower().replace('_', ' ')}"
        super().__init__(f"{said}: {detail}" if detail else said, permanent=code in _PERMANENT)
        self.code = code


class ChirpStack:
    """One application of a ChirpStack."""

    def __init__(self, channel: grpc.aio.Channel, access: Access, timeout_s: float) -> None:
        self._stub = DeviceServiceStub(channel)
        self._application = access.application
        self._metadata = (("authorization", f"Bearer {access.token}"),)
        self._timeout_s = timeout_s

    async def create(self, wanted: Wanted) -> bool:
        """Register a device; return False when it is there already, whoever has it."""
        device = api.Device(
            dev_eui=wanted.dev_eui,
            name=wanted.name,
            application_id=self._application,
            device_profile_id=wanted.profile,
            join_eui=wanted.join_eui,
        )
        try:
            await self._ask(self._stub.Create, api.CreateDeviceRequest(device=device))
        except _RefusedError as error:
            if error.code is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            return False
        return True

    async def find(self, dev_eui: str) -> There | None:
        """Return a device as it is there; None when it is not, or is another tenant's."""
        device = await self._device(dev_eui)
        return None if device is None else _there(device)

    async def change(self, wanted: Wanted) -> None:
        """Give a device another name, profile, JoinEUI or application; its tags and variables stay."""
        device = await self._device(wanted.dev_eui)
        if device is None:
            raise ServerError("ChirpStack no longer has it, or another tenant there has it", permanent=True)
        device.name = wanted.name
        device.application_id = self._application
        device.device_profile_id = wanted.profile or device.device_profile_id
        device.join_eui = wanted.join_eui or device.join_eui
        await self._ask(self._stub.Update, api.UpdateDeviceRequest(device=device))

    async def key(self, wanted: Wanted, keys: RootKeys) -> None:
        """Give a device its root keys."""
        given = api.DeviceKeys(dev_eui=wanted.dev_eui, nwk_key=(keys.nwk_key or keys.app_key).hex())
        if keys.nwk_key is not None:
            given.app_key = keys.app_key.hex()
        try:
            await self._ask(self._stub.CreateKeys, api.CreateDeviceKeysRequest(device_keys=given))
        except _RefusedError as error:
            if error.code is not grpc.StatusCode.ALREADY_EXISTS:
                raise
            await self._ask(self._stub.UpdateKeys, api.UpdateDeviceKeysRequest(device_keys=given))

    async def delete(self, dev_eui: str) -> bool:
        """Take a device of this application away; return whether there was one."""
        device = await self._device(dev_eui)
        if device is None or device.application_id != self._application:
            return False
        await self._ask(self._stub.Delete, api.DeleteDeviceRequest(dev_eui=dev_eui))
        return True

    async def listed(self, without_join_eui: Collection[str]) -> AsyncIterator[There]:
        """Yield the devices of the application; a list has no JoinEUI: the others are looked at one by one."""
        offset = 0
        while True:
            page = await self._ask(
                self._stub.List,
                api.ListDevicesRequest(
                    application_id=self._application,
                    limit=_PAGE,
                    offset=offset,
                    order_by=api.ListDevicesRequest.OrderBy.DEV_EUI,
                ),
            )
            asked = [one.dev_eui for one in page.result if one.dev_eui not in without_join_eui]
            joined = {one.dev_eui: one for one in await self._many(asked)}
            for one in page.result:
                found = joined.get(one.dev_eui)
                yield _there(found) if found else There(one.dev_eui, one.name, one.device_profile_id)
            offset += _PAGE
            if offset >= page.total_count or not page.result:
                return

    async def _many(self, dev_euis: list[str]) -> list[Any]:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(dev_eui: str) -> Any:
            async with turns:
                return await self._device(dev_eui)

        return [found for found in await asyncio.gather(*map(one, dev_euis)) if found is not None]

    async def enqueue(self, downlink: Outgoing) -> str:
        """Put a downlink at the end of its device's queue; return the number that ChirpStack gives it."""
        item = api.DeviceQueueItem(
            dev_eui=downlink.dev_eui,
            f_port=downlink.f_port,
            data=downlink.payload,
            confirmed=downlink.confirmed,
            expires_at=downlink.expires_at,
        )
        request = api.EnqueueDeviceQueueItemRequest(queue_item=item)
        answer = await self._ask_of(downlink.dev_eui, self._stub.Enqueue, request)
        return str(answer.id)

    async def queue(self, dev_eui: str) -> list[Queued]:
        """Return what waits in the queue of a device."""
        answer = await self._ask_of(dev_eui, self._stub.GetQueue, api.GetDeviceQueueItemsRequest(dev_eui=dev_eui))
        return [Queued(one.id, one.f_port, one.data, one.confirmed) for one in answer.result]

    async def take_back(self, downlink: Outgoing, item: str) -> TakenBack:
        """Empty the queue if nothing else is in it: ChirpStack takes no single item away. What is pending was sent."""
        request = api.GetDeviceQueueItemsRequest(dev_eui=downlink.dev_eui)
        answer = await self._ask_of(downlink.dev_eui, self._stub.GetQueue, request)
        there = {one.id: one.is_pending for one in answer.result}
        if there.get(item, True):
            return "gone"
        if len(there) > 1:
            return "kept"
        await self._ask(self._stub.FlushQueue, api.FlushDeviceQueueRequest(dev_eui=downlink.dev_eui))
        return "taken"

    async def _ask_of(self, dev_eui: str, call: Call, request: Any) -> Any:
        """Ask about a device; one that is not there is told as such, and not as a token that is no good."""
        try:
            return await self._ask(call, request)
        except _RefusedError as error:
            if error.code not in _NOT_OURS or await self._device(dev_eui) is not None:
                raise
        raise ServerError("ChirpStack has no such device, or another tenant there has it", permanent=True)

    async def _device(self, dev_eui: str) -> Any:
        """Return the message of a device, None when it is not there or another tenant's."""
        try:
            return (await self._ask(self._stub.Get, api.GetDeviceRequest(dev_eui=dev_eui))).device
        except _RefusedError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                return None
            if error.code not in _NOT_OURS:
                raise
        # Either nobody has it, or the token is no good: then this is refused as well.
        await self._ask(self._stub.List, api.ListDevicesRequest(application_id=self._application, limit=0))
        return None

    async def _ask(self, call: Call, request: Any) -> Any:
        try:
            return await call(request, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise _RefusedError(
                error.code(), error.details() or ""
            ) from None  # its trailers can say more than is ours to tell


def _there(device: Any) -> There:
    join_eui = "" if device.join_eui == _NO_JOIN_EUI else device.join_eui
    return There(device.dev_eui, device.name, device.device_profile_id, join_eui, device.application_id)


@contextlib.asynccontextmanager
async def opened(access: Access, place: Place, timeout_s: float) -> AsyncIterator[ChirpStack]:
    """Speak to a ChirpStack; see `servers.Module`. It connects to the addresses of `place` alone."""
    version = "ipv6" if ":" in place.addresses[0] else "ipv4"
    where = [f"[{one}]:{place.port}" if ":" in one else f"{one}:{place.port}" for one in place.addresses]
    target = f"{version}:{','.join(where)}"
    options = [("grpc.default_authority", f"{place.host}:{place.port}"), ("grpc.enable_http_proxy", 0)]
    if place.tls:
        credentials = grpc.ssl_channel_credentials(root_certificates=place.ca or None)
        channel = grpc.aio.secure_channel(
            target, credentials, options=[*options, ("grpc.ssl_target_name_override", place.host)]
        )
    else:
        channel = grpc.aio.insecure_channel(target, options=options)
    try:
        yield ChirpStack(channel, access, timeout_s)
    finally:
        await channel.close()
