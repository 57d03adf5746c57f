"""ChirpStack v4, over MQTT and HTTP, JSON and Protobuf.

Source: the messages of the package `chirpstack-api` (integration.proto, gw.proto) and captures of a v4 network.
  application/<id>/device/<DevEUI>/event/<up|join|status|ack|txack|log|location>    the device's events
  [<region>/]gateway/<gateway id>/event/stats, [<region>/]gateway/<gateway id>/state/conn
  event/<kind>    what `ingest.http` makes of the HTTP integration's `?event=<kind>`

The encoding is found by looking. JSON carries every field of the outer message (`"fCnt":0`) but leaves out the
zeros of inner ones: an absent rssi, snr or channel of a reception is 0. `time` is the gateway's clock when it has
one; where it is implausible, the network server's own `nsTime` of a reception stands in.

A v4 network was seen to publish statuses and joins on `event/up`: in JSON, a message there without `fCnt` is
what its fields say it is. In Protobuf the three cannot be told apart, and the topic is believed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from domain.errors import MessageError
from domain.events import Event, Reception, Uplink
from domain.identifiers import dev_addr, dev_eui
from domain.quarantine import UNKNOWN_TOPIC
from domain.times import first_plausible
from ingest.lns import _chirpstack_protobuf as protobuf
from ingest.lns import _fields as fields
from ingest.lns._chirpstack_events import DEVICE_EVENTS, GATEWAY_EVENTS, DeviceInfo, Location, join, status

NAME: Final = "chirpstack"
TOPICS: Final = (
    "application/+/device/+/event/+",
    "gateway/+/event/stats",
    "gateway/+/state/conn",
    "+/gateway/+/event/stats",
    "+/gateway/+/state/conn",
)

# Heard when an operator subscribes to more than TOPICS: commands to devices and gateways, frames as each gateway
# hears them (the same come again, deduplicated, as `up`), and what other integrations computed.
_DEVICE_TALK: Final = frozenset({"event/integration", "command/down"})
_GATEWAY_TALK: Final = frozenset(
    {f"event/{kind}" for kind in ("up", "ack", "raw", "mesh", "exec")}
    | {f"command/{kind}" for kind in ("down", "config", "exec", "raw", "mesh")}
)


class _Reception(Struct, frozen=True, gc=False, rename="camel"):
    gateway_id: fields.Identity
    rssi: fields.Decibels = 0.0
    snr: fields.Decibels = 0.0
    channel: fields.Channel = 0
    location: Location | None = None
    ns_time: str = ""


class _Lora(Struct, frozen=True, gc=False, rename="camel"):
    bandwidth: fields.BandwidthHz = 0
    spreading_factor: fields.SpreadingFactor = 0


class _Modulation(Struct, frozen=True, gc=False):
    lora: _Lora | None = None


class _Transmission(Struct, frozen=True, gc=False):
    frequency: fields.FrequencyHz = 0
    modulation: _Modulation = _Modulation()


class _Up(Struct, frozen=True, gc=False, rename="camel"):
    device_info: DeviceInfo
    deduplication_id: fields.Identifier
    time: str = ""
    dev_addr: str = ""
    adr: bool = False
    dr: fields.DataRate = 0
    f_cnt: fields.FCnt | None = None
    f_port: fields.FPort = 0
    confirmed: bool = False
    data: fields.FrmPayload = b""
    object: dict[str, Any] | None = None
    rx_info: tuple[_Reception, ...] = ()
    tx_info: _Transmission | None = None


_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time
_UP: Final = msgspec.json.Decoder(_Up)
_SHAPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])  # which fields are there, whatever is in them


def parse(topic: str, body: bytes, now: datetime) -> Sequence[Event]:
    """Return the events of one message: see `ingest.lns.NetworkServer.parse`."""
    if topic.endswith("/event/up") and "gateway/" not in topic and body.startswith(b"{"):
        return (_json_up(body, now),)  # nearly all there is, found without taking the topic apart
    is_json = body.lstrip()[:1] == b"{"  # no Protobuf of these messages begins so
    *origin, channel, kind = ("", *topic.rsplit("/", 4))
    of_gateway = len(origin) > 2 and origin[-2] == "gateway"
    what = f"{channel}/{kind}"
    if of_gateway:
        if what in GATEWAY_EVENTS:
            return (GATEWAY_EVENTS[what](body, now, is_json=is_json),)
    elif what == "event/up":
        return (_json_up(body, now) if is_json else _protobuf_up(body, now),)
    elif what in DEVICE_EVENTS:
        return (DEVICE_EVENTS[what](body, now, is_json=is_json),)
    if what in (_GATEWAY_TALK if of_gateway else _DEVICE_TALK):
        return ()
    raise MessageError(UNKNOWN_TOPIC, repr(topic[:200]))


def _json_up(body: bytes, now: datetime) -> Event:
    up = fields.read(_UP, body)
    if up.f_cnt is None:
        shape = fields.read(_SHAPE, body)
        if "margin" in shape or "batteryLevel" in shape:
            return status(body, now, is_json=True)
        if "rxInfo" not in shape and "txInfo" not in shape:
            return join(body, now, is_json=True)
    said = fields.moment(up.time)
    try:
        received_at = first_plausible((said,), now)
    except MessageError:
        received_at = first_plausible((said, *[fields.moment(heard.ns_time) for heard in up.rx_info]), now)
    return _uplink(up, received_at)


def _protobuf_up(body: bytes, now: datetime) -> Event:
    message = protobuf.uplink(body)
    said = protobuf.moment(message.time)
    try:
        received_at = first_plausible((said,), now)
    except MessageError:
        received_at = first_plausible((said, *[protobuf.moment(heard.ns_time) for heard in message.rx_info]), now)
    return _uplink(fields.convert(protobuf.plain_uplink(message), _Up), received_at)


def _uplink(up: _Up, received_at: datetime) -> Uplink:
    """Build positionally, in the order of the fields, and past the constructors: it is a fifth of the whole parse."""
    device, transmission = up.device_info, up.tx_info
    lora = transmission.modulation.lora if transmission is not None else None
    return _new(
        Uplink,
        (
            dev_eui(device.dev_eui),
            received_at,
            up.deduplication_id,
            dev_addr(up.dev_addr),
            up.f_cnt or 0,
            up.f_port or (0 if up.data else None),  # an outer zero is written out: also where there is no FPort
            up.data,
            up.confirmed,
            up.adr,
            up.dr,
            lora.spreading_factor if lora is not None else None,
            lora.bandwidth if lora is not None else None,
            transmission.frequency if transmission is not None else None,
            fields.one_per_gateway([_reception(heard) for heard in up.rx_info]),
            fields.codec_object(up.object) if up.object is not None else None,
            device.device_name,
            device.device_profile_name,
        ),
    )


def _reception(heard: _Reception) -> Reception:
    place = heard.location
    where = fields.position(place.latitude, place.longitude, place.altitude) if place is not None else None
    return _new(Reception, (heard.gateway_id.lower(), heard.rssi, heard.snr, heard.channel, where))
