"""What all network servers' messages share: reading JSON without trust, LoRaWAN's bounds, times, receptions.

Every bound below is what LoRaWAN, or the column it is stored in, can hold: what lies outside is refused here,
alone, so that it cannot make the transaction of its neighbours fail.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from domain.errors import MessageError
from domain.events import Position, Reception
from domain.quarantine import BAD_DEV_EUI, BAD_FIELD, UNREADABLE

T = TypeVar("T")

MAX_FRM_PAYLOAD: Final = 242  # 255 bytes on the air less MHDR 1, FHDR 7, FPort 1, MIC 4 (LoRaWAN 1.0.4, section 4)

FCnt = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
FPort = Annotated[int, Meta(ge=0, le=255)]
FrmPayload = Annotated[bytes, Meta(max_length=MAX_FRM_PAYLOAD)]
DataRate = Annotated[int, Meta(ge=0, le=15)]
SpreadingFactor = Annotated[int, Meta(ge=0, le=12)]
BandwidthHz = Annotated[int, Meta(ge=0, le=10_000_000)]
FrequencyHz = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Channel = Annotated[int, Meta(ge=0, le=0x7FFF)]
Decibels = Annotated[float, Meta(ge=-1000, le=1000)]
Counter = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
Identifier = Annotated[str, Meta(max_length=128)]
Identity = Annotated[str, Meta(min_length=1, max_length=64)]  # a gateway's

MAX_DEPTH: Final = 32  # of what a network server's codec computed: far from any recursion limit, here and later

_ESCAPED_BACKSLASH_OR_NUL: Final = re.compile(rb"(\\\\)|\\u0000")
_DEV_EUI_PATH: Final = re.compile(r"dev_?eui", re.IGNORECASE)
_PLAIN: Final = frozenset((float, bool, str, type(None)))
_INT64_MAX: Final = 2**63 - 1


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Return the typed message; raise MessageError when it is not JSON (UNREADABLE), or not of the type (BAD_FIELD).

    NUL characters become U+FFFD: PostgreSQL's text and jsonb cannot hold them, and an uplink is worth more than
    the NUL in its device's name. Not JSON: NaN, Infinity, lone surrogates, nesting beyond Python's stack.
    """
    if body.find(b"\\") >= 0:  # ten times faster to find than the escape itself, and most messages have none
        body = _ESCAPED_BACKSLASH_OR_NUL.sub(_keep_backslash, body)
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _refused(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(UNREADABLE, str(error)[:200]) from None
    except RecursionError:
        raise MessageError(UNREADABLE, "nested too deep") from None


def convert(plain: Mapping[str, Any], form: type[T]) -> T:
    """Return the typed message of plain values, under the bounds of `read`; raise MessageError(BAD_FIELD)."""
    try:
        return msgspec.convert(plain, form)
    except msgspec.ValidationError as error:
        raise _refused(error) from None


def _keep_backslash(match: re.Match[bytes]) -> bytes:
    return match[1] or rb"\ufffd"


def _refused(error: msgspec.ValidationError) -> MessageError:
    said = str(error)[:200]
    if _DEV_EUI_PATH.search(said):
        return MessageError(BAD_DEV_EUI, said)
    if said.startswith("Expected `object`") and "$" not in said:
        return MessageError(UNREADABLE, "not a JSON object")
    return MessageError(BAD_FIELD, said)


def moment(text: str) -> datetime | None:
    """Return an ISO 8601 time of any number of digits, truncated to the microsecond; None when it is not one."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def hexadecimal(text: str) -> bytes:
    """Return the bytes of a frame's payload; raise MessageError(BAD_FIELD) when it is not one."""
    try:
        payload = bytes.fromhex(text)
    except ValueError:
        raise MessageError(BAD_FIELD, f"payload {text[:64]!r}") from None
    if len(payload) > MAX_FRM_PAYLOAD:
        raise MessageError(BAD_FIELD, f"payload of {len(payload)} bytes")
    return payload


def digest(body: bytes) -> str:
    """Return what tells this message from another when its network server gives no identifier."""
    return blake2b(body, digest_size=16).hexdigest()


@lru_cache(maxsize=4096)  # gateways stay where they are
def position(latitude_deg: float, longitude_deg: float, altitude_m: float | None) -> Position | None:
    """Return the position; None where nobody set one (0, 0) or where there can be none. NaN is nowhere."""
    if not (-90 <= latitude_deg <= 90 and -180 <= longitude_deg <= 180) or latitude_deg == longitude_deg == 0:
        return None
    if altitude_m is not None and not -1000 <= altitude_m <= 100_000:
        altitude_m = None
    return Position(latitude_deg, longitude_deg, altitude_m)


def one_per_gateway(receptions: Sequence[Reception]) -> tuple[Reception, ...]:
    """Return the strongest reception of each gateway: one with two antennas reports an uplink twice."""
    if len({reception[0] for reception in receptions}) == len(receptions):
        return tuple(receptions)
    best: dict[str, Reception] = {}
    for reception in receptions:
        known = best.setdefault(reception.gateway_eui, reception)
        if known is not reception and _strength(reception) > _strength(known):
            best[reception.gateway_eui] = reception
    return tuple(best.values())


def _strength(reception: Reception) -> float:
    return -9999.0 if reception.rssi_dbm is None else reception.rssi_dbm


def codec_object(decoded: dict[str, Any]) -> dict[str, Any]:
    """Return what the network server's codec computed, as published, where a database and a float can hold it.

    Integers beyond 64 bits become floats, and what is not finite becomes null. Raises MessageError(UNREADABLE)
    beyond MAX_DEPTH.
    """
    for value in decoded.values():
        kind = type(value)
        if kind not in _PLAIN and (kind is not int or not -_INT64_MAX <= value <= _INT64_MAX):
            return {name: _storable(inner, MAX_DEPTH) for name, inner in decoded.items()}
    return decoded


def _storable(value: Any, depth: int) -> Any:
    if isinstance(value, dict | list) and not depth:
        raise MessageError(UNREADABLE, f"nested more than {MAX_DEPTH} deep")
    match value:
        case dict():
            return {name: _storable(inner, depth - 1) for name, inner in value.items()}
        case list():
            return [_storable(inner, depth - 1) for inner in value]
        case int() if not -_INT64_MAX <= value <= _INT64_MAX:
            return _finite(value)
        case float():
            return _finite(value)
    return value


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
