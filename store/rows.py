"""Rows as PostgreSQL's binary COPY reads them, made with `struct`: an eighth of the time of a general encoder.

The order and the types are those of the columns that `store/writing.py` names beside each table.
Source: PostgreSQL documentation, COPY, "Binary Format"; and the send functions of each type.

    row = field count (int16), then for each field: length (int32, -1 for NULL) and value
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import crc32

from domain.events import Uplink

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_HOUR_US: Final = 3_600_000_000
_FLOAT8: Final = 701  # type OIDs, as array elements name them
_INT2: Final = 21
_DEV_ADDR: Final = 8  # its digits

_UPLINK_HEAD: Final = Struct(">hiqiqiqiqiii8si").pack
_RECEPTION_HEAD: Final = Struct(">hiqiqiii").pack
_RECEPTION: Final = Struct(">38siififih").pack
_MEASUREMENT: Final = Struct(">hiqiqidiiihih").pack
_MEASUREMENT_HEAD: Final = Struct(">hiqiqi").pack
_CHANGED: Final = Struct(">hiiiq").pack
_LENGTH: Final = Struct(">i").pack
_ARRAY: Final = Struct(">iiiii").pack
_BOOLEAN_FIELD: Final = Struct(">i?").pack
_INT2_FIELD: Final = Struct(">ih").pack
_INT4_FIELD: Final = Struct(">ii").pack
_INT8_FIELD: Final = Struct(">iq").pack
_FLOAT4_FIELD: Final = Struct(">if").pack
_NULL: Final = b"\xff\xff\xff\xff"
_EMPTY_ARRAY: Final = Struct(">iiii").pack(12, 0, 0, _INT2)
_EMPTY_FLOATS: Final = Struct(">iiii").pack(12, 0, 0, _FLOAT8)
_LATEST_FIELDS: Final = Struct(">hi").pack(7, 4)
_FOUR: Final = 4 << 32  # before an int4, its length: one number to pack instead of two


def microseconds(at: datetime) -> int:
    """Return a timezone-aware time as PostgreSQL counts it: microseconds since 2000-01-01 UTC."""
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def at(since_us: int) -> datetime:
    """Return the time that is so many microseconds since 2000-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=since_us)


def hour_of(at_us: int) -> int:
    """Return the beginning of the UTC hour, in microseconds since 2000."""
    return at_us - at_us % _HOUR_US


class Layout(NamedTuple):
    """A set of (quantity_id, channel) that frames carry, and how their rows are packed: all of a frame in one call.

    `number` tells it from others; 0 is of a frame without readings. The rest is for this module.
    """

    number: int
    pack_measurements: Callable[..., bytes]
    measurement_slots: Sequence[Any]  # of each row: head, value, device, and what follows, which never changes
    pack_latest: Callable[..., bytes]
    latest_numbers: bytes
    latest_arrays: bytes  # up to the length of the first value
    latest_slots: Sequence[Any]  # the values, with the length of the next between them


@lru_cache(maxsize=4096)
def layout(quantity_ids: tuple[int, ...], channels: tuple[int, ...]) -> Layout:
    """Return the layout of these readings, in this order."""
    count = len(quantity_ids)
    ends = [_INT2_FIELD(2, one) + _INT2_FIELD(2, channel) for one, channel in zip(quantity_ids, channels, strict=True)]
    number = crc32(repr((quantity_ids, channels)).encode()) - 0x8000_0000 if count else 0
    arrays = _int2_array(quantity_ids) + _int2_array(channels)
    floats = b"".join((_LENGTH(20 + 12 * count), _ARRAY(1, 0, _FLOAT8, count, 1), _LENGTH(8)))
    arrays += floats if count else _EMPTY_FLOATS
    return Layout(
        number,
        Struct(">" + "30sdq12s" * count).pack,
        [part for end in ends for part in (None, None, None, end)],
        Struct(f">6si12sqiq{len(arrays)}s" + "di" * (count - 1) + "d" * (count > 0)).pack,
        _INT4_FIELD(4, number) + _LENGTH(8),
        arrays,
        [8] * (2 * count - 1),
    )


def measurement(
    measured_us: int, received_us: int, device_id: int, quantity_id: int, channel: int, value: float
) -> bytes:
    """Return a row of `measurements`."""
    return _MEASUREMENT(6, 8, measured_us, 8, received_us, 8, value, 4, device_id, 2, quantity_id, 2, channel)


def measurements(measured_us: int, received_us: int, device_id: int, kind: Layout, values: Sequence[float]) -> bytes:
    """Return rows of `measurements`, all of one frame and one time."""
    count = len(values)
    slots = [*kind.measurement_slots]
    slots[0::4] = [_MEASUREMENT_HEAD(6, 8, measured_us, 8, received_us, 8)] * count
    slots[1::4] = values
    slots[2::4] = [_FOUR | device_id] * count
    return kind.pack_measurements(*slots)


def latest(device_id: int, kind: Layout, measured_us: int, received_us: int, values: Sequence[float]) -> bytes:
    """Return a row of `latest_frames`."""
    slots = [*kind.latest_slots]
    slots[0::2] = values
    return kind.pack_latest(
        _LATEST_FIELDS, device_id, kind.latest_numbers, measured_us, 8, received_us, kind.latest_arrays, *slots
    )


# gateway_id, rssi_dbm, snr_db, channel: how one gateway heard an uplink
Hearing = tuple[int, float | None, float | None, int | None]


def receptions(received_us: int, key: int, device_id: int, hearings: Iterable[Hearing]) -> bytes:
    """Return rows of `receptions`, all of one uplink."""
    head = _RECEPTION_HEAD(7, 8, received_us, 8, key, 4, device_id, 4)
    try:  # most have all three; packing None is a struct.error
        return b"".join([
            _RECEPTION(head, gateway_id, 4, rssi_dbm, 4, snr_db, 2, channel)
            for gateway_id, rssi_dbm, snr_db, channel in hearings
        ])  # fmt: skip
    except struct.error:
        return b"".join([_reception(head, *one) for one in hearings])


def _reception(
    head: bytes, gateway_id: int, rssi_dbm: float | None, snr_db: float | None, channel: int | None
) -> bytes:
    return b"".join((
        head,
        _LENGTH(gateway_id),
        _NULL if rssi_dbm is None else _FLOAT4_FIELD(4, rssi_dbm),
        _NULL if snr_db is None else _FLOAT4_FIELD(4, snr_db),
        _int2(channel),
    ))  # fmt: skip


def changed_hour(device_id: int, hour_us: int) -> bytes:
    """Return a row of `changed_hours`."""
    return _CHANGED(2, 4, device_id, 8, hour_us)


class Found(NamedTuple):
    """What ingest found about an uplink: the numbers it stands under, and what its decoder made of it."""

    device_id: int
    source_id: int
    decoder_id: int | None
    outcome: str
    detail: str
    object_json: str | None


def uplink(received_us: int, key: int, ingested_us: int, told: Uplink, found: Found) -> bytes:
    """Return a row of `uplinks`."""
    device_id, source_id, decoder_id, outcome, detail, object_json = found
    dev_addr, payload = told.dev_addr.encode(), told.payload
    if len(dev_addr) == _DEV_ADDR:
        head = _UPLINK_HEAD(
            19, 8, received_us, 8, key, 8, ingested_us, 8, told.f_cnt, 4, device_id, 8, dev_addr, len(payload)
        )
    else:
        head = _UPLINK_HEAD(19, 8, received_us, 8, key, 8, ingested_us, 8, told.f_cnt, 4, device_id, 0, b"", 0)
        head = head[:-16] + _LENGTH(len(dev_addr)) + dev_addr + _LENGTH(len(payload))
    return b"".join((
        head,
        payload,
        _rest_of_uplink(
            told.frequency_hz, decoder_id, told.bandwidth_hz, source_id, told.f_port, told.spreading_factor,
            told.data_rate, told.confirmed, told.adr, outcome, detail,
        ),
        _NULL if object_json is None else _jsonb(object_json),
    ))  # fmt: skip


@lru_cache(maxsize=8192)  # a network has few channels, data rates, models and outcomes
def _rest_of_uplink(
    frequency_hz: int | None,
    decoder_id: int | None,
    bandwidth_hz: int | None,
    source_id: int,
    f_port: int | None,
    spreading_factor: int | None,
    data_rate: int | None,
    confirmed: bool,  # noqa: FBT001 - and the next: in the order of the columns
    adr: bool,  # noqa: FBT001
    outcome: str,
    detail: str,
) -> bytes:
    return b"".join((
        _NULL if frequency_hz is None else _INT8_FIELD(8, frequency_hz),
        _NULL if decoder_id is None else _INT4_FIELD(4, decoder_id),
        _NULL if bandwidth_hz is None else _INT4_FIELD(4, bandwidth_hz),
        _INT2_FIELD(2, source_id),
        _int2(f_port),
        _int2(spreading_factor),
        _int2(data_rate),
        _BOOLEAN_FIELD(1, confirmed),
        _BOOLEAN_FIELD(1, adr),
        _text(outcome),
        _text(detail),
    ))  # fmt: skip


def _int2_array(numbers: Sequence[int]) -> bytes:
    if not numbers:
        return _EMPTY_ARRAY
    items = b"".join([_INT2_FIELD(2, number) for number in numbers])
    return _LENGTH(20 + len(items)) + _ARRAY(1, 0, _INT2, len(numbers), 1) + items


def _int2(number: int | None) -> bytes:
    return _NULL if number is None else _INT2_FIELD(2, number)


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH(len(data)) + data


def _jsonb(text: str) -> bytes:
    data = text.encode()
    return _LENGTH(len(data) + 1) + b"\1" + data  # 1 is the version of jsonb's binary form
