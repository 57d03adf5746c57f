"""Actility ThingPark, over HTTP, in JSON.

Source: "LRC-AS tunnel interface" of docs.thingpark.com, and public captures.
One report a request, wrapped in its name:
  DevEUI_uplink          a frame; with `rawJoinRequest` in place of `payload_hex`, a device that asks to join
  DevEUI_notification    Type join (it joined), devstatusans (battery and margin), reset
  DevEUI_location        where the network found the device
  DevEUI_downlink_Sent, DevEUI_downlink_Rejected    what became of a downlink

Numbers come as numbers, as strings, or as empty strings for none. `Time` is the gateway's, with its offset; with
the frame's MIC it stands for the deduplication id. Gateways have short names (`Lrrid`), and only the best one a
position. Frequencies are in MHz, bandwidths are not told. XML, which ThingPark can also send, is refused: choose
JSON in the application server's routing profile.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from domain.errors import MessageError
from domain.events import DOWNLINK, JOIN, LOCATION, LOG, STATUS, Event, NetworkEvent, Reception, Uplink
from domain.identifiers import dev_addr, dev_eui
from domain.quarantine import BAD_FIELD, UNREADABLE
from domain.times import first_plausible
from ingest.lns import _fields as fields

NAME: Final = "actility"
TOPICS: Final[tuple[str, ...]] = ()  # HTTP only

Number = int | float | str | None

_CONFIRMED_DATA_UP: Final = 4  # MType
_JOIN_REQUEST_BYTES: Final = 23  # MHDR 1, JoinEUI 8, DevEUI 8, DevNonce 2, MIC 4
_EXTERNAL_POWER, _BATTERY_FULL, _BATTERY_UNKNOWN = 0, 254, 255  # DevStatusAns (LoRaWAN 1.0.4, section 5.5)


class _Lrr(Struct, frozen=True, gc=False, rename="pascal"):
    lrrid: fields.Identity
    lrr_rssi: Number = msgspec.field(name="LrrRSSI", default=None)
    lrr_snr: Number = msgspec.field(name="LrrSNR", default=None)


class _Lrrs(Struct, frozen=True, gc=False, rename="pascal"):
    lrr: tuple[_Lrr, ...] | _Lrr = ()  # one alone, where XML became JSON on the way


class _Report(Struct, frozen=True, gc=False, rename="pascal"):
    dev_eui: str = msgspec.field(name="DevEUI")
    time: fields.Identifier = ""
    dev_addr: str = ""
    customer_data: Any = None


class _Uplink(_Report, frozen=True, gc=False, rename="pascal"):
    f_port: Number = None
    f_cnt_up: Number = None
    payload_hex: str = msgspec.field(name="payload_hex", default="")
    mic_hex: fields.Identifier = msgspec.field(name="mic_hex", default="")
    raw_join_request: str | None = msgspec.field(name="rawJoinRequest", default=None)
    payload: Any = msgspec.field(name="payload", default=None)  # what ThingPark's own driver decoded
    m_type: Number = None
    adr_bit: Number = msgspec.field(name="ADRbit", default=None)
    sp_fact: Number = None
    frequency: Number = None
    lrrid: str = ""
    lrr_lat: Number = msgspec.field(name="LrrLAT", default=None)
    lrr_lon: Number = msgspec.field(name="LrrLON", default=None)
    lrrs: _Lrrs = _Lrrs()


class _Notification(_Report, frozen=True, gc=False, rename="pascal"):
    type: str = ""
    var1: Number = None
    var2: Number = None


class _Location(_Report, frozen=True, gc=False, rename="pascal"):
    dev_lat: Number = msgspec.field(name="DevLAT", default=None)
    dev_lon: Number = msgspec.field(name="DevLON", default=None)
    dev_alt: Number = None
    dev_loc_radius: Number = None


class _Downlink(_Report, frozen=True, gc=False, rename="pascal"):
    f_port: Number = None
    f_cnt_dn: Number = None
    delivery_status: Number = None
    delivery_failed_cause1: str = ""
    delivery_failed_cause2: str = ""
    delivery_failed_cause3: str = ""
    lrrid: str = ""


class _Envelope(Struct, frozen=True, gc=False):
    uplink: _Uplink | None = msgspec.field(name="DevEUI_uplink", default=None)
    notification: _Notification | None = msgspec.field(name="DevEUI_notification", default=None)
    location: _Location | None = msgspec.field(name="DevEUI_location", default=None)
    sent: _Downlink | None = msgspec.field(name="DevEUI_downlink_Sent", default=None)
    rejected: _Downlink | None = msgspec.field(name="DevEUI_downlink_Rejected", default=None)
    multicast: msgspec.Raw = msgspec.field(name="DevEUI_multicast_summary", default=msgspec.Raw())


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def parse(topic: str, body: bytes, now: datetime) -> Sequence[Event]:  # noqa: ARG001 - the body says all
    """Return the events of one message: see `ingest.lns.NetworkServer.parse`."""
    if body.lstrip()[:1] == b"<":
        raise MessageError(UNREADABLE, "XML: choose JSON in ThingPark's routing profile")
    envelope = fields.read(_ENVELOPE, body)
    if envelope.multicast:
        return ()
    if envelope.uplink is not None and envelope.uplink.raw_join_request is None:
        return (_uplink(envelope.uplink, now),)
    return (_other(envelope, body, now),)


def _other(envelope: _Envelope, body: bytes, now: datetime) -> NetworkEvent:
    if envelope.uplink is not None:
        return _join_request(envelope.uplink, body, now)
    if envelope.notification is not None:
        return _notification(envelope.notification, body, now)
    if envelope.location is not None:
        return _location(envelope.location, body, now)
    if envelope.sent is not None:
        was_sent = _integer("DeliveryStatus", envelope.sent.delivery_status, 0, 1)
        return _downlink(envelope.sent, "sent" if was_sent else "failed", body, now)
    if envelope.rejected is not None:
        return _downlink(envelope.rejected, "failed", body, now)
    raise MessageError(UNREADABLE, "none of ThingPark's reports is in it")


def _uplink(up: _Uplink, now: datetime) -> Uplink:
    frequency_mhz = _number("Frequency", up.frequency, 0, 4000)
    return Uplink(
        dev_eui=dev_eui(up.dev_eui),
        received_at=first_plausible((fields.moment(up.time),), now),
        deduplication_id=f"{up.time} {up.mic_hex.lower()}",
        dev_addr=dev_addr(up.dev_addr),
        f_cnt=_integer("FCntUp", up.f_cnt_up, 0, 0xFFFF_FFFF) or 0,
        f_port=_integer("FPort", up.f_port, 0, 255),
        payload=fields.hexadecimal(up.payload_hex),
        confirmed=_integer("MType", up.m_type, 0, 7) == _CONFIRMED_DATA_UP,
        adr=_integer("ADRbit", up.adr_bit, 0, 1) == 1,
        spreading_factor=_integer("SpFact", up.sp_fact, 0, 12),
        frequency_hz=round(frequency_mhz * 1_000_000) if frequency_mhz is not None else None,
        receptions=_receptions(up),
        decoded=fields.codec_object(up.payload) if isinstance(up.payload, dict) else None,
        device_name=_device_name(up.customer_data),
        model_hint=_model_hint(up.customer_data),
    )


def _receptions(up: _Uplink) -> tuple[Reception, ...]:
    heard = up.lrrs.lrr if isinstance(up.lrrs.lrr, tuple) else (up.lrrs.lrr,)
    latitude, longitude = _number("LrrLAT", up.lrr_lat), _number("LrrLON", up.lrr_lon)
    place = fields.position(latitude, longitude, None) if latitude is not None and longitude is not None else None
    return fields.one_per_gateway(
        [
            Reception(
                gateway_eui=one.lrrid.lower(),
                rssi_dbm=_number("LrrRSSI", one.lrr_rssi, -1000, 1000),
                snr_db=_number("LrrSNR", one.lrr_snr, -1000, 1000),
                position=place if one.lrrid == up.lrrid else None,
            )
            for one in heard
        ]
    )


def _event(kind: str, report: _Report, data: Mapping[str, Any], body: bytes, now: datetime) -> NetworkEvent:
    return NetworkEvent(
        kind=kind,
        received_at=first_plausible((fields.moment(report.time),), now),
        event_id=fields.digest(body),
        dev_eui=dev_eui(report.dev_eui),
        data=data,
    )


def _join_request(up: _Uplink, body: bytes, now: datetime) -> NetworkEvent:
    """Return that a device asks to join: whether it did, a notification says. Over the air, numbers come reversed."""
    frame = fields.hexadecimal(up.raw_join_request or "")
    data: dict[str, Any] = {"accepted": False, "model_hint": _model_hint(up.customer_data)}
    if len(frame) == _JOIN_REQUEST_BYTES:
        data |= {"join_eui": frame[8:0:-1].hex(), "dev_nonce": int.from_bytes(frame[17:19], "little")}
    return _event(JOIN, up, data, body, now)


def _notification(said: _Notification, body: bytes, now: datetime) -> NetworkEvent:
    """Return what happened to a device. Var1 of a join is a session key: it is left behind."""
    match said.type:
        case "join":
            data: dict[str, Any] = {"accepted": True, "dev_addr": dev_addr(said.dev_addr)}
            return _event(JOIN, said, data, body, now)
        case "devstatusans":
            battery = _integer("Var1", said.var1, 0, 255)
            is_known = battery not in (None, _EXTERNAL_POWER, _BATTERY_UNKNOWN)
            data = {
                "margin_db": _integer("Var2", said.var2, -128, 127),
                "external_power": battery == _EXTERNAL_POWER,
                "battery_level_percent": round((battery or 0) * 100 / _BATTERY_FULL, 2) if is_known else None,
            }
            return _event(STATUS, said, data, body, now)
        case "reset":
            data = {"level": "INFO", "code": "RESET", "description": str(said.var1 or ""), "context": {}}
            return _event(LOG, said, data, body, now)
    raise MessageError(UNREADABLE, f"notification of type {said.type[:64]!r}")


def _location(found: _Location, body: bytes, now: datetime) -> NetworkEvent:
    latitude, longitude = _number("DevLAT", found.dev_lat), _number("DevLON", found.dev_lon)
    data = {"source": "network", "accuracy_m": _number("DevLocRadius", found.dev_loc_radius)}
    event = _event(LOCATION, found, data, body, now)
    if latitude is None or longitude is None:
        return event
    return event._replace(position=fields.position(latitude, longitude, _number("DevAlt", found.dev_alt)))


def _downlink(down: _Downlink, state: str, body: bytes, now: datetime) -> NetworkEvent:
    causes = (down.delivery_failed_cause1, down.delivery_failed_cause2, down.delivery_failed_cause3)
    data = {
        "state": state,
        "f_port": _integer("FPort", down.f_port, 0, 255),
        "f_cnt_down": _integer("FCntDn", down.f_cnt_dn, 0, 0xFFFF_FFFF),
        "gateway_eui": down.lrrid.lower(),
        "causes": [cause for cause in causes if cause],
    }
    return _event(DOWNLINK, down, data, body, now)


def _number(name: str, given: Number, low: float = -1e12, high: float = 1e12) -> float | None:
    """Return the number, or None where there is none. Raises MessageError(BAD_FIELD) outside [low, high]."""
    if given is None or given == "":
        return None
    try:
        number = float(given)
    except (ValueError, OverflowError):
        number = float("nan")
    if not low <= number <= high:
        raise MessageError(BAD_FIELD, f"{name} {str(given)[:64]!r}")
    return number


def _integer(name: str, given: Number, low: int, high: int) -> int | None:
    number = _number(name, given, low, high)
    if number is None or number.is_integer():
        return None if number is None else int(number)
    raise MessageError(BAD_FIELD, f"{name} {str(given)[:64]!r}")


def _device_name(customer_data: Any) -> str:
    name = customer_data.get("name") if isinstance(customer_data, dict) else None
    return name if isinstance(name, str) else ""


def _model_hint(customer_data: Any) -> str:
    """Return the device profile: its provider/model and version."""
    profile = customer_data.get("alr") if isinstance(customer_data, dict) else None
    if not isinstance(profile, dict):
        return ""
    return " ".join(part for part in (profile.get("pro"), profile.get("ver")) if isinstance(part, str))
