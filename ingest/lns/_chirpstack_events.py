"""ChirpStack's other events: what happened to a device or to a gateway, and is not an uplink.

They are rare, so Protobuf goes by way of JSON's form: one description of each serves both.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from google.protobuf.message import Message
from msgspec import Meta, Struct

from domain.events import (
    ACK,
    GATEWAY_CONNECTION,
    GATEWAY_STATS,
    JOIN,
    LOCATION,
    LOG,
    STATUS,
    TXACK,
    NetworkEvent,
)
from domain.identifiers import dev_addr, dev_eui
from domain.times import first_plausible
from ingest.lns import _chirpstack_protobuf as protobuf
from ingest.lns import _fields as fields

T = TypeVar("T")


class DeviceInfo(Struct, frozen=True, gc=False, rename="camel"):
    """Which device, as the network server knows it."""

    dev_eui: str
    device_name: str = ""
    device_profile_name: str = ""


class Location(Struct, frozen=True, gc=False):
    """Degrees and metres."""

    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float = 0.0


class _DeviceEvent(Struct, frozen=True, rename="camel"):
    device_info: DeviceInfo
    time: str = ""
    deduplication_id: fields.Identifier = ""


class _Join(_DeviceEvent, frozen=True, rename="camel"):
    dev_addr: str = ""


class _Status(_DeviceEvent, frozen=True, rename="camel"):
    margin: Annotated[int, Meta(ge=-128, le=127)] = 0
    external_power_source: bool = False
    battery_level_unavailable: bool = False
    battery_level: Annotated[float, Meta(ge=0, le=100)] | None = 0.0


class _Ack(_DeviceEvent, frozen=True, rename="camel"):
    queue_item_id: str = ""
    acknowledged: bool = False
    f_cnt_down: fields.FCnt = 0


class _DownlinkTransmission(Struct, frozen=True):
    frequency: fields.FrequencyHz = 0
    power: int = 0


class _TxAck(_DeviceEvent, frozen=True, rename="camel"):
    queue_item_id: str = ""
    f_cnt_down: fields.FCnt = 0
    gateway_id: str = ""
    tx_info: _DownlinkTransmission = _DownlinkTransmission()


class _Log(_DeviceEvent, frozen=True, rename="camel"):
    level: str = "INFO"
    code: str = "UNKNOWN"
    description: str = ""
    context: dict[str, str] = {}


class _Located(Struct, frozen=True):
    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float = 0.0
    source: str = "UNKNOWN"
    accuracy: Annotated[float, Meta(ge=0, le=1e8)] | None = None


class _LocationEvent(_DeviceEvent, frozen=True, rename="camel"):
    location: _Located = _Located()


class _Stats(Struct, frozen=True, rename="camel"):
    gateway_id: fields.Identity
    time: str = ""
    location: Location | None = None
    config_version: str = ""
    rx_packets_received: fields.Counter = 0
    rx_packets_received_ok: fields.Counter = 0
    tx_packets_received: fields.Counter = 0
    tx_packets_emitted: fields.Counter = 0
    rx_packets_per_frequency: dict[str, fields.Counter] = {}
    tx_packets_per_frequency: dict[str, fields.Counter] = {}
    tx_packets_per_status: dict[str, fields.Counter] = {}
    metadata: dict[str, str] = {}


class _Connection(Struct, frozen=True, rename="camel"):
    gateway_id: fields.Identity
    state: str | int = 0


class _Form(Generic[T]):
    """One event in its two encodings."""

    def __init__(self, event_type: type[T], message_type: type[Message], identity: str = "device_info") -> None:
        self._event_type = event_type
        self._message_type = message_type
        self._identity = identity
        self._decoder = msgspec.json.Decoder(event_type)

    def read(self, body: bytes, *, is_json: bool) -> T:
        if is_json:
            return fields.read(self._decoder, body)
        return fields.convert(protobuf.plain(self._message_type, self._identity, body), self._event_type)


_JOIN: Final = _Form(_Join, protobuf.JoinEvent)
_STATUS: Final = _Form(_Status, protobuf.StatusEvent)
_ACK: Final = _Form(_Ack, protobuf.AckEvent)
_TXACK: Final = _Form(_TxAck, protobuf.TxAckEvent)
_LOG: Final = _Form(_Log, protobuf.LogEvent)
_LOCATION: Final = _Form(_LocationEvent, protobuf.LocationEvent)
_STATS: Final = _Form(_Stats, protobuf.GatewayStats, "gateway_id")
_CONNECTION: Final = _Form(_Connection, protobuf.ConnState, "gateway_id")


def _of_device(kind: str, event: _DeviceEvent, body: bytes, now: datetime, data: Mapping[str, Any]) -> NetworkEvent:
    return NetworkEvent(
        kind=kind,
        received_at=first_plausible((fields.moment(event.time),), now),
        event_id=event.deduplication_id or fields.digest(body),
        dev_eui=dev_eui(event.device_info.dev_eui),
        data=data,
    )


def join(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    event = _JOIN.read(body, is_json=is_json)
    info = event.device_info
    data = {
        "accepted": True,
        "dev_addr": dev_addr(event.dev_addr),
        "device_name": info.device_name,
        "model_hint": info.device_profile_name,
    }
    return _of_device(JOIN, event, body, now, data)


def status(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    event = _STATUS.read(body, is_json=is_json)
    is_known = not (event.battery_level_unavailable or event.external_power_source)
    data = {
        "margin_db": event.margin,
        "external_power": event.external_power_source,
        "battery_level_percent": event.battery_level if is_known else None,
    }
    return _of_device(STATUS, event, body, now, data)


def ack(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    event = _ACK.read(body, is_json=is_json)
    data = {
        "acknowledged": event.acknowledged,
        "f_cnt_down": event.f_cnt_down,
        "queue_item_id": event.queue_item_id,
    }
    return _of_device(ACK, event, body, now, data)


def txack(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    event = _TXACK.read(body, is_json=is_json)
    data = {
        "gateway_eui": event.gateway_id.lower(),
        "f_cnt_down": event.f_cnt_down,
        "frequency_hz": event.tx_info.frequency,
        "power_dbm": event.tx_info.power,
        "queue_item_id": event.queue_item_id,
    }
    return _of_device(TXACK, event, body, now, data)


def log(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    event = _LOG.read(body, is_json=is_json)
    data = {
        "level": event.level,
        "code": event.code,
        "description": event.description,
        "context": event.context,
    }
    return _of_device(LOG, event, body, now, data)


def location(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    event = _LOCATION.read(body, is_json=is_json)
    found = event.location
    where = fields.position(found.latitude, found.longitude, found.altitude)
    data = {"source": found.source, "accuracy_m": found.accuracy}
    return _of_device(LOCATION, event, body, now, data)._replace(position=where)


def stats(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    """Return how a gateway does. Where its clock is wrong, its statistics are of the moment they came."""
    counted = _STATS.read(body, is_json=is_json)
    place = counted.location
    return NetworkEvent(
        kind=GATEWAY_STATS,
        received_at=first_plausible((fields.moment(counted.time), now), now),
        event_id=fields.digest(body),
        gateway_eui=counted.gateway_id.lower(),
        data={
            "config_version": counted.config_version,
            "rx_packets": counted.rx_packets_received,
            "rx_packets_ok": counted.rx_packets_received_ok,
            "tx_packets": counted.tx_packets_received,
            "tx_packets_emitted": counted.tx_packets_emitted,
            "rx_packets_per_frequency_hz": counted.rx_packets_per_frequency,
            "tx_packets_per_frequency_hz": counted.tx_packets_per_frequency,
            "tx_packets_per_status": counted.tx_packets_per_status,
            "metadata": counted.metadata,
        },
        position=fields.position(place.latitude, place.longitude, place.altitude) if place is not None else None,
    )


def connection(body: bytes, now: datetime, *, is_json: bool) -> NetworkEvent:
    """Return whether a gateway is there. The message carries no time: it is of the moment it came."""
    said = _CONNECTION.read(body, is_json=is_json)
    return NetworkEvent(
        kind=GATEWAY_CONNECTION,
        received_at=now,
        event_id=fields.digest(body),
        gateway_eui=said.gateway_id.lower(),
        data={"online": said.state in ("ONLINE", 1)},
    )


Parse = Callable[..., NetworkEvent]  # (body, now, *, is_json)

DEVICE_EVENTS: Final[Mapping[str, Parse]] = {
    "event/join": join,
    "event/status": status,
    "event/ack": ack,
    "event/txack": txack,
    "event/log": log,
    "event/location": location,
}
GATEWAY_EVENTS: Final[Mapping[str, Parse]] = {
    "event/stats": stats,
    "state/conn": connection,
}
