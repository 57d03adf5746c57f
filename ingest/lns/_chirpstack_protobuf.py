"""ChirpStack's Protobuf messages in the form of its JSON.

Only the message modules of `chirpstack-api` are imported (5.6 MB, 30 ms), never its gRPC stubs. The uplink,
which is frequent, is read field by field; the rest goes through the library's own JSON mapping.
NUL characters become U+FFFD, as in JSON (`ingest.lns._fields.read`).
"""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final, TypeVar

# chirpstack-api ships stubs but no py.typed marker; it is imported here alone.
from chirpstack_api.common.common_pb2 import Location  # type: ignore[import-untyped]
from chirpstack_api.gw.gw_pb2 import ConnState, GatewayStats, UplinkRxInfo, UplinkTxInfo  # type: ignore[import-untyped]
from chirpstack_api.integration.integration_pb2 import (  # type: ignore[import-untyped]
    AckEvent,
    JoinEvent,
    LocationEvent,
    LogEvent,
    StatusEvent,
    TxAckEvent,
    UplinkEvent,
)
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from domain.errors import MessageError
from domain.quarantine import BAD_FIELD, UNREADABLE

__all__ = [
    "AckEvent",
    "ConnState",
    "GatewayStats",
    "JoinEvent",
    "LocationEvent",
    "LogEvent",
    "StatusEvent",
    "TxAckEvent",
    "UplinkEvent",
    "moment",
    "plain",
    "plain_uplink",
    "uplink",
]

M = TypeVar("M", bound=Message)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


def uplink(body: bytes) -> UplinkEvent:
    """Return the message; raise MessageError(UNREADABLE) when the bytes are not one."""
    event = _message(UplinkEvent, body)
    if not event.HasField("device_info"):
        raise _without("device_info")
    return event


def plain(message_type: type[Message], identity: str, body: bytes) -> dict[str, Any]:
    """Return a message as plain values under JSON's names. `identity` is the field that it cannot be without.

    Raises MessageError: UNREADABLE when the bytes are not such a message, BAD_FIELD when JSON cannot say it.
    """
    message = _message(message_type, body)
    if identity not in {field.name for field, _ in message.ListFields()}:
        raise _without(identity)
    try:
        values: dict[str, Any] = _without_nul(MessageToDict(message))
    except SerializeToJsonError as error:
        raise MessageError(BAD_FIELD, _text(str(error))[:200]) from None
    return values


def _message(message_type: type[M], body: bytes) -> M:
    try:
        return message_type.FromString(body)
    except DecodeError:
        raise MessageError(UNREADABLE, "neither JSON nor Protobuf") from None


def _without(identity: str) -> MessageError:
    """Random bytes are often Protobuf, of unknown fields alone."""
    return MessageError(UNREADABLE, f"neither JSON nor Protobuf with a {identity}")


def moment(timestamp: Timestamp) -> datetime | None:
    """Return the time truncated to the microsecond; None when there is none, or none that a calendar has."""
    if not 0 < timestamp.seconds <= _LAST_SECOND:
        return None
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


def plain_uplink(event: UplinkEvent) -> dict[str, Any]:
    """Return what Samara reads of an uplink, under JSON's names. An absent number is its zero."""
    device = event.device_info
    return {
        "deviceInfo": {
            "devEui": _text(device.dev_eui),
            "deviceName": _text(device.device_name),
            "deviceProfileName": _text(device.device_profile_name),
        },
        "deduplicationId": _text(event.deduplication_id),
        "devAddr": _text(event.dev_addr),
        "adr": event.adr,
        "dr": event.dr,
        "fCnt": event.f_cnt,
        "fPort": event.f_port,
        "confirmed": event.confirmed,
        "data": event.data,
        "object": _object(event.object) if event.HasField("object") else None,
        "rxInfo": [_reception(heard) for heard in event.rx_info],
        "txInfo": _transmission(event.tx_info) if event.HasField("tx_info") else None,
    }


def _transmission(sent: UplinkTxInfo) -> dict[str, Any]:
    lora = sent.modulation.lora
    is_lora = sent.modulation.HasField("lora")
    modulation = {"lora": {"bandwidth": lora.bandwidth, "spreadingFactor": lora.spreading_factor}} if is_lora else {}
    return {"frequency": sent.frequency, "modulation": modulation}


def _reception(heard: UplinkRxInfo) -> dict[str, Any]:
    return {
        "gatewayId": _text(heard.gateway_id),
        "rssi": heard.rssi,
        "snr": round(heard.snr, 3),  # 9.2 is 9.199999809 as a 32-bit float
        "channel": heard.channel,
        "location": _location(heard.location) if heard.HasField("location") else None,
    }


def _location(location: Location) -> dict[str, float]:
    return {"latitude": location.latitude, "longitude": location.longitude, "altitude": location.altitude}


def _object(struct: Struct) -> dict[str, Any]:
    return {_text(name): _value(value) for name, value in struct.fields.items()}


def _value(value: Value) -> Any:
    """Return a JSON value."""
    match value.WhichOneof("kind"):
        case "number_value":
            return _number(value.number_value)
        case "string_value":
            return _text(value.string_value)
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return _object(value.struct_value)
        case "list_value":
            return [_value(inner) for inner in value.list_value.values]
    return None


def _number(number: float) -> float | None:
    """Return a whole number as an integer, as ChirpStack's JSON has it: here all are doubles. JSON has no NaN."""
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number if isfinite(number) else None


def _text(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return _text(value)
        case dict():
            return {_text(name): _without_nul(inner) for name, inner in value.items()}
        case list():
            return [_without_nul(inner) for inner in value]
    return value
