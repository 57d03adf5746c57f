"""The Things Stack v3, by its HTTP API.

Source: "End Device APIs" and "Field Masks" of thethingsindustries.com/docs. A device is in four registries: of the
identity, join, network and application server, written in that order (the join server when there are keys) and deleted
in reverse.

  profile       <frequency plan>/<LoRaWAN version>/<regional parameters>: EU_863_870_TTN/MAC_V1_0_3/PHY_V1_0_3_REV_A
  application   the id of an application
  token         an API key of it, with the rights to see and edit devices and to write their keys

A device's id is eui-<DevEUI>, unless it has another already. A DevEUI is there once in a cluster, and a JoinEUI cannot
be changed there: a device that has another is taken away and made anew.

A downlink carries our reference as a correlation id, which comes back with what is told of it. To send one, the API key
also needs the rights to read and write downlink application traffic.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from alerting.provisioning.door import Place
from alerting.provisioning.errors import ServerError
from alerting.provisioning.servers import TakenBack, _http
from alerting.provisioning.servers._http import Http
from domain.downlinks import REFERENCE, Outgoing, Queued
from domain.provisioning import RootKeys, There, Wanted
from store.provisioning.servers import Access

NAME: Final = "thethingsstack"

_PAGE: Final = 500
_AT_ONCE: Final = 4
_NO_JOIN_EUI: Final = "0000000000000000"
_NOT_FOUND, _CONFLICT = 404, 409
_NETWORK: Final = ("frequency_plan_id", "lorawan_version", "lorawan_phy_version")
_IDS: Final = ("ids.device_id", "ids.dev_eui", "ids.join_eui")


class _SaidIds(Struct, frozen=True, gc=False):
    device_id: Annotated[str, Meta(pattern="^[a-z0-9-]{2,36}$")]
    dev_eui: str = ""
    join_eui: str = ""


class _Said(Struct, frozen=True, gc=False):
    """A device as a registry says it: what was asked for, without what is empty."""

    ids: _SaidIds | None = None
    name: str = ""
    frequency_plan_id: str = ""
    lorawan_version: str = ""
    lorawan_phy_version: str = ""


class _Listed(Struct, frozen=True, gc=False):
    end_devices: tuple[_Said, ...] = ()


class _Waiting(Struct, frozen=True, gc=False):
    """A queue: its items as they are, so that they can be given back."""

    downlinks: list[dict[str, Any]] = []


_SAID: Final = msgspec.json.Decoder(_Said)
_LISTED: Final = msgspec.json.Decoder(_Listed)
_WAITING: Final = msgspec.json.Decoder(_Waiting)


class _Ids(NamedTuple):
    """What a device is called there."""

    device_id: str
    dev_eui: str
    join_eui: str

    @property
    def said(self) -> dict[str, str]:
        return {"device_id": self.device_id, "dev_eui": self.dev_eui.upper(), "join_eui": self.join_eui.upper()}


class TheThingsStack:
    """One application of a Things Stack."""

    def __init__(self, http: Http, access: Access, place: Place) -> None:
        self._http = http
        self._application = access.application
        self._host = place.host

    async def create(self, wanted: Wanted) -> bool:
        """Register a device; return False when its DevEUI is there already, whoever has it."""
        ids = _Ids(f"eui-{wanted.dev_eui}", wanted.dev_eui, wanted.join_eui or _NO_JOIN_EUI)
        servers = dict.fromkeys(
            ("network_server_address", "application_server_address", "join_server_address"), self._host
        )
        body = {"end_device": {"ids": ids.said, "name": wanted.name, **servers}}
        status, _ = await self._http.ask("POST", f"applications/{self._application}/devices", body, passing=_CONFLICT)
        if status == _CONFLICT:
            return False
        await self._set_network(ids, wanted.profile)
        return True

    async def find(self, dev_eui: str) -> There | None:
        """Return a device as it is there; None when this application has it not."""
        found = await self._found(dev_eui)
        return None if found is None else await self._there(found)

    async def change(self, wanted: Wanted) -> None:
        """Give a device another name or profile. Its JoinEUI stays as it is: another is refused."""
        found = await self._found(wanted.dev_eui)
        if found is None:
            raise ServerError("The Things Stack no longer has it", permanent=True)
        ids = _ids(found)
        if wanted.join_eui not in {"", ids.join_eui}:
            raise ServerError("The Things Stack changes no JoinEUI: take the device away there first", permanent=True)
        body = {"end_device": {"ids": ids.said, "name": wanted.name}, "field_mask": {"paths": ["name"]}}
        await self._http.ask("PUT", f"applications/{self._application}/devices/{ids.device_id}", body)
        if wanted.profile:
            await self._set_network(ids, wanted.profile)

    async def key(self, wanted: Wanted, keys: RootKeys) -> None:
        """Give a device its root keys, in the join server."""
        found = await self._found(wanted.dev_eui)
        if found is None:
            raise ServerError("The Things Stack no longer has it", permanent=True)
        roots = {kind: {"key": key.hex().upper()} for kind, key in keys._asdict().items() if key is not None}
        servers = dict.fromkeys(("network_server_address", "application_server_address"), self._host)
        await self._set(
            "js", _ids(found), {**servers, "root_keys": roots}, [*servers, *(f"root_keys.{k}.key" for k in roots)]
        )

    async def delete(self, dev_eui: str) -> bool:
        """Take a device of this application away, from all registries; return whether there was one."""
        found = await self._found(dev_eui)
        if found is None:
            return False
        device_id = _ids(found).device_id
        for registry in ("as/", "ns/", "js/", ""):
            path = f"{registry}applications/{self._application}/devices/{device_id}"
            await self._http.ask("DELETE", path, None, passing=_NOT_FOUND)
        return True

    async def listed(self, without_join_eui: Collection[str]) -> AsyncIterator[There]:
        """Yield the devices of the application. A list has no profiles: the network server is asked for each."""
        del without_join_eui  # all lists have it
        page = 1
        while True:
            query = {"limit": str(_PAGE), "page": str(page), "order": "device_id", "field_mask": "name"}
            _, body = await self._http.ask("GET", f"applications/{self._application}/devices", None, query=query)
            found = self._http.read(_LISTED, body).end_devices
            turns = asyncio.Semaphore(_AT_ONCE)

            async def one(device: _Said, turns: asyncio.Semaphore = turns) -> There:
                async with turns:
                    return await self._there(device)

            for there in await asyncio.gather(*(one(device) for device in found if device.ids and device.ids.dev_eui)):
                yield there
            if len(found) < _PAGE:
                return
            page += 1

    async def enqueue(self, downlink: Outgoing) -> str:
        """Put a downlink at the end of its device's queue; it keeps our reference, and is called so."""
        body = {"downlinks": [_pushed(downlink)]}
        await self._http.ask("POST", f"{await self._queue_of(downlink.dev_eui)}/push", body)
        return downlink.reference

    async def queue(self, dev_eui: str) -> list[Queued]:
        """Return what waits in the queue of a device."""
        return [_queued(one) for one in await self._waiting(await self._queue_of(dev_eui))]

    async def take_back(self, downlink: Outgoing, item: str) -> TakenBack:
        """Put the others in place of the queue, as they were."""
        path = await self._queue_of(downlink.dev_eui)
        there = await self._waiting(path)
        others = [one for one in there if _queued(one).item != item]
        if len(others) == len(there):
            return "gone"
        await self._http.ask("POST", f"{path}/replace", {"downlinks": others})
        return "taken"

    async def _queue_of(self, dev_eui: str) -> str:
        found = await self._found(dev_eui)
        if found is None:
            raise ServerError("The Things Stack has no such device", permanent=True)
        return f"as/applications/{self._application}/devices/{_ids(found).device_id}/down"

    async def _waiting(self, path: str) -> list[dict[str, Any]]:
        _, body = await self._http.ask("GET", path, None)
        return self._http.read(_WAITING, body).downlinks

    async def _found(self, dev_eui: str) -> _Said | None:
        """Return what the identity server has of a device, whatever it is called there."""
        query = {"dev_eui_contains": dev_eui.upper(), "field_mask": "name"}
        _, body = await self._http.ask("GET", f"search/applications/{self._application}/devices", None, query=query)
        devices = self._http.read(_LISTED, body).end_devices
        return next((one for one in devices if one.ids and one.ids.dev_eui.lower() == dev_eui), None)

    async def _there(self, found: _Said) -> There:
        ids = _ids(found)
        path = f"ns/applications/{self._application}/devices/{ids.device_id}"
        query = {"field_mask": ",".join(_NETWORK)}
        _, body = await self._http.ask("GET", path, None, query=query, passing=_NOT_FOUND)
        network = self._http.read(_SAID, body)
        parts = (network.frequency_plan_id, network.lorawan_version, network.lorawan_phy_version)
        profile = "/".join(parts) if any(parts) else ""  # '': its registration was cut short
        join_eui = "" if ids.join_eui == _NO_JOIN_EUI else ids.join_eui
        return There(ids.dev_eui, found.name, profile, join_eui, self._application)

    async def _set_network(self, ids: _Ids, profile: str) -> None:
        parts = profile.split("/")
        if len(parts) != len(_NETWORK):
            raise ServerError(
                f"{profile!r} is not frequency plan, LoRaWAN version and regional parameters, joined by /",
                permanent=True,
            )
        await self._set(
            "ns", ids, {**dict(zip(_NETWORK, parts, strict=True)), "supports_join": True}, [*_NETWORK, "supports_join"]
        )
        await self._set("as", ids, {}, [])

    async def _set(self, registry: str, ids: _Ids, values: Mapping[str, Any], paths: list[str]) -> None:
        body = {"end_device": {"ids": ids.said, **values}, "field_mask": {"paths": [*_IDS, *paths]}}
        await self._http.ask("PUT", f"{registry}/applications/{self._application}/devices/{ids.device_id}", body)


def _ids(found: _Said) -> _Ids:
    if found.ids is None:
        raise ServerError("The Things Stack answered a device without its ids", permanent=True)
    return _Ids(found.ids.device_id, found.ids.dev_eui.lower(), (found.ids.join_eui or _NO_JOIN_EUI).lower())


def _pushed(downlink: Outgoing) -> dict[str, Any]:
    return {
        "f_port": downlink.f_port,
        "frm_payload": base64.b64encode(downlink.payload).decode(),
        "confirmed": downlink.confirmed,
        "priority": "NORMAL",
        "correlation_ids": [f"{REFERENCE}{downlink.reference}"],
    }


def _queued(said: Mapping[str, Any]) -> Queued:
    """Return an item of a queue; its name is our reference, else nothing."""
    told = said.get("correlation_ids")
    ours = [one for one in told if isinstance(one, str)] if isinstance(told, list) else []
    reference = next((one.removeprefix(REFERENCE) for one in ours if one.startswith(REFERENCE)), "")
    port, payload = said.get("f_port"), said.get("frm_payload")
    try:
        sent = base64.b64decode(payload) if isinstance(payload, str) else b""
    except ValueError:
        sent = b""
    return Queued(reference, port if isinstance(port, int) else 0, sent, said.get("confirmed") is True, reference)


@contextlib.asynccontextmanager
async def opened(access: Access, place: Place, timeout_s: float) -> AsyncIterator[TheThingsStack]:
    """Speak to a Things Stack; see `servers.Module`."""
    headers = {"Authorization": f"Bearer {access.token}"}
    async with _http.opened("The Things Stack", f"{access.address}/api/v3", headers, place, timeout_s) as http:
        yield TheThingsStack(http, access, place)
