"""The Things Stack v3, over MQTT and by webhook: the same JSON.

Source: "Data Formats" and "MQTT Server" of thethingsindustries.com/docs, and captures of The Things Network.
  v3/<application>[@<tenant>]/devices/<device id>/<up|join|down/...|location/solved|service/data>

What a message is, its fields say; the topic is not needed. Every zero, false and empty field is left out: an
absent `f_cnt` is 0, an absent `snr` 0 dB. `frequency` is a string. The DevEUI is in capitals.

Which time: an uplink bears two. `uplink_message.received_at` is the network server's, once for all gateways;
the outer one is the application server's, later by what decoding and queueing took. The first is kept, the
others stand in when it is implausible.

What stands for the deduplication id: `correlation_ids` are not in every message and name also what handled it.
The network server's `received_at`, to the nanosecond, is in every copy of an uplink, by MQTT, webhook and the
storage integration alike, and no two uplinks of a device share it.

An uplink that someone simulates in the console (`simulated`) was said by no sensor: it is of no interest. So is
`uplink_normalized`, which repeats an uplink, and a command heard on `down/push` or `down/replace`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from domain.downlinks import REFERENCE
from domain.errors import MessageError
from domain.events import ACK, DOWNLINK, JOIN, LOCATION, LOG, Event, NetworkEvent, Position, Reception, Uplink
from domain.identifiers import dev_addr, dev_eui
from domain.quarantine import UNREADABLE
from domain.times import first_plausible
from ingest.lns import _fields as fields

NAME: Final = "thethingsstack"
TOPICS: Final = ("v3/+/devices/+/#",)

_COMMANDS: Final = ("/down/push", "/down/replace")

_GatewayName = Annotated[str, Meta(max_length=64)]


class _DeviceIds(Struct, frozen=True, gc=False):
    dev_eui: str = ""
    dev_addr: str = ""
    device_id: str = ""


class _GatewayIds(Struct, frozen=True, gc=False):
    gateway_id: _GatewayName = ""
    eui: _GatewayName = ""


class _PacketBroker(Struct, frozen=True, gc=False):
    forwarder_gateway_eui: _GatewayName = ""


class _Location(Struct, frozen=True, gc=False):
    latitude: float = 0.0
    longitude: float = 0.0
    altitude: float = 0.0
    accuracy: Annotated[float, Meta(ge=0, le=1e8)] = 0.0
    source: str = ""


class _Reception(Struct, frozen=True, gc=False):
    gateway_ids: _GatewayIds = _GatewayIds()
    packet_broker: _PacketBroker = _PacketBroker()
    rssi: fields.Decibels = 0.0
    snr: fields.Decibels = 0.0
    channel_index: fields.Channel = 0
    location: _Location | None = None
    time: str = ""


class _Lora(Struct, frozen=True, gc=False):
    bandwidth: fields.BandwidthHz = 0
    spreading_factor: fields.SpreadingFactor = 0


class _DataRate(Struct, frozen=True, gc=False):
    lora: _Lora | None = None


class _Settings(Struct, frozen=True, gc=False):
    data_rate: _DataRate = _DataRate()
    data_rate_index: fields.DataRate | None = None
    frequency: Annotated[str, Meta(pattern="^[0-9]{1,10}$")] | fields.FrequencyHz | None = None


class _VersionIds(Struct, frozen=True, gc=False):
    brand_id: str = ""
    model_id: str = ""


class _UplinkMessage(Struct, frozen=True, gc=False):
    f_port: fields.FPort | None = None
    f_cnt: fields.FCnt = 0
    frm_payload: fields.FrmPayload = b""
    decoded_payload: dict[str, Any] | None = None
    rx_metadata: tuple[_Reception, ...] = ()
    settings: _Settings = _Settings()
    received_at: fields.Identifier = ""
    confirmed: bool = False
    version_ids: _VersionIds = _VersionIds()


class _JoinAccept(Struct, frozen=True, gc=False):
    received_at: str = ""


class _Downlink(Struct, frozen=True, gc=False):
    f_port: fields.FPort = 0
    f_cnt: fields.FCnt = 0
    confirmed: bool = False
    correlation_ids: tuple[str, ...] = ()


class _Error(Struct, frozen=True, gc=False):
    namespace: str = ""
    name: str = ""
    message_format: str = ""


class _DownlinkFailed(Struct, frozen=True, gc=False):
    downlink: _Downlink = _Downlink()
    error: _Error = _Error()


class _DownlinksInvalidated(Struct, frozen=True, gc=False):
    last_f_cnt_down: fields.FCnt = 0


class _LocationSolved(Struct, frozen=True, gc=False):
    service: str = ""
    location: _Location = _Location()


class _ServiceData(Struct, frozen=True, gc=False):
    service: str = ""
    data: dict[str, Any] = {}


class _Message(Struct, frozen=True, gc=False):
    end_device_ids: _DeviceIds
    received_at: str = ""
    simulated: bool = False
    uplink_message: _UplinkMessage | None = None
    uplink_normalized: msgspec.Raw = msgspec.Raw()
    join_accept: _JoinAccept | None = None
    downlink_queued: _Downlink | None = None
    downlink_sent: _Downlink | None = None
    downlink_ack: _Downlink | None = None
    downlink_nack: _Downlink | None = None
    downlink_failed: _DownlinkFailed | None = None
    downlink_queue_invalidated: _DownlinksInvalidated | None = None
    location_solved: _LocationSolved | None = None
    service_data: _ServiceData | None = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)


def parse(topic: str, body: bytes, now: datetime) -> Sequence[Event]:
    """Return the events of one message: see `ingest.lns.NetworkServer.parse`."""
    if topic.endswith(_COMMANDS):
        return ()
    message = fields.read(_MESSAGE, body)
    if message.simulated or message.uplink_normalized:
        return ()
    if message.uplink_message is not None:
        return (_uplink(message, message.uplink_message, body, now),)
    return (_event(message, body, now),)


def _uplink(message: _Message, up: _UplinkMessage, body: bytes, now: datetime) -> Uplink:
    lora = up.settings.data_rate.lora
    said = (up.received_at, message.received_at, *[heard.time for heard in up.rx_metadata])
    version = up.version_ids
    return Uplink(
        dev_eui=dev_eui(message.end_device_ids.dev_eui),
        received_at=first_plausible(tuple([fields.moment(time) for time in said]), now),
        deduplication_id=up.received_at or fields.digest(body),
        dev_addr=dev_addr(message.end_device_ids.dev_addr),
        f_cnt=up.f_cnt,
        f_port=up.f_port,
        payload=up.frm_payload,
        confirmed=up.confirmed,
        data_rate=up.settings.data_rate_index,
        spreading_factor=lora.spreading_factor if lora is not None else None,
        bandwidth_hz=lora.bandwidth if lora is not None else None,
        frequency_hz=int(up.settings.frequency) if up.settings.frequency is not None else None,
        receptions=fields.one_per_gateway([one for heard in up.rx_metadata if (one := _reception(heard)) is not None]),
        decoded=fields.codec_object(up.decoded_payload) if up.decoded_payload is not None else None,
        device_name=message.end_device_ids.device_id,
        model_hint=f"{version.brand_id} {version.model_id}".strip(),
    )


def _reception(heard: _Reception) -> Reception | None:
    """Return None where no gateway is named; one of another network, by Packet Broker, has but its EUI there."""
    gateway = heard.gateway_ids.eui or heard.packet_broker.forwarder_gateway_eui or heard.gateway_ids.gateway_id
    if not gateway:
        return None
    return Reception(
        gateway_eui=gateway.lower(),
        rssi_dbm=heard.rssi,
        snr_db=heard.snr,
        channel=heard.channel_index,
        position=_position(heard.location),
    )


def _position(location: _Location | None) -> Position | None:
    return fields.position(location.latitude, location.longitude, location.altitude) if location is not None else None


def _event(message: _Message, body: bytes, now: datetime) -> NetworkEvent:
    kind, data, where = _what(message)
    join = message.join_accept
    said = [time for time in (join.received_at if join is not None else "", message.received_at) if time]
    return NetworkEvent(
        kind=kind,
        # A failed downlink bears no time: it is then of the moment it came.
        received_at=first_plausible(tuple([fields.moment(time) for time in said]) or (now,), now),
        event_id=fields.digest(body),
        dev_eui=dev_eui(message.end_device_ids.dev_eui),
        data=data,
        position=where,
    )


def _what(message: _Message) -> tuple[str, Mapping[str, Any], Position | None]:
    """Return the kind, the data and the position. Session keys, which a join accept can carry, are left behind."""
    ids = message.end_device_ids
    if message.join_accept is not None:
        data = {"accepted": True, "dev_addr": dev_addr(ids.dev_addr), "device_name": ids.device_id}
        return JOIN, data, None
    if message.downlink_ack is not None:
        sent = message.downlink_ack
        return ACK, {"acknowledged": True, "f_cnt_down": sent.f_cnt, **_reference(sent)}, None
    if message.downlink_nack is not None:
        sent = message.downlink_nack
        return ACK, {"acknowledged": False, "f_cnt_down": sent.f_cnt, **_reference(sent)}, None
    if message.location_solved is not None:
        solved, place = message.location_solved, message.location_solved.location
        return LOCATION, {"source": place.source or solved.service, "accuracy_m": place.accuracy}, _position(place)
    if message.service_data is not None:
        given = message.service_data
        said = {"level": "INFO", "code": "SERVICE_DATA", "description": given.service}
        return LOG, {**said, "context": fields.codec_object(given.data)}, None
    return DOWNLINK, _downlink(message), None


def _downlink(message: _Message) -> Mapping[str, Any]:
    if message.downlink_queued is not None:
        return {"state": "queued", **_sent(message.downlink_queued)}
    if message.downlink_sent is not None:
        return {"state": "sent", **_sent(message.downlink_sent)}
    if message.downlink_failed is not None:
        error = message.downlink_failed.error
        said = {"error": f"{error.namespace}:{error.name}", "detail": error.message_format}
        return {"state": "failed", **_sent(message.downlink_failed.downlink), **said}
    if message.downlink_queue_invalidated is not None:
        return {"state": "invalidated", "f_cnt_down": message.downlink_queue_invalidated.last_f_cnt_down}
    raise MessageError(UNREADABLE, "none of The Things Stack's events is in it")


def _sent(downlink: _Downlink) -> Mapping[str, Any]:
    said = {"f_port": downlink.f_port, "f_cnt_down": downlink.f_cnt, "confirmed": downlink.confirmed}
    return {**said, **_reference(downlink)}


def _reference(downlink: _Downlink) -> Mapping[str, str]:
    """Return our own reference of a downlink that we asked for; of another's nothing."""
    ours = next((one for one in downlink.correlation_ids if one.startswith(REFERENCE)), None)
    return {} if ours is None else {"reference": ours.removeprefix(REFERENCE)[:64]}
