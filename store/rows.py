"""Rows as PostgreSQL's binary COPY reads them, made with `struct`: an eighth of the time of a general encoder.

The order and the types are those of the columns that `store/writing.py` names beside each table.
Source: PostgreSQL documentation, COPY, "Binary Format"; and the send functions of each type.

    row = field count (int16), then for each field: length (int32, -1 for NULL) and value
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from domain.events import Uplink

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR_US: Final = 3_600_000_000
_FLOAT8: Final = 701  # type OIDs, as array elements name them
_INT2: Final = 21

_MEASUREMENT: Final = Struct(">hiqiqidiiihih").pack
_RECEPTION: Final = Struct(">hiqiqiiiiififih").pack
_CHANGED: Final = Struct(">hiiiq").pack
_LATEST: Final = Struct(">hiiiiiqiq").pack
_UPLINK_HEAD: Final = Struct(">hiqiqiqiq").pack
_UPLINK_RADIO: Final = Struct(">iqiiiiiiihihihih").pack
_FLAGS: Final = {
    (confirmed, adr): bytes((0, 0, 0, 1, confirmed, 0, 0, 0, 1, adr)) for confirmed in (0, 1) for adr in (0, 1)
}
_LENGTH: Final = Struct(">i").pack
_ARRAY: Final = Struct(">iiiii").pack
_INT2_FIELD: Final = Struct(">ih").pack
_INT4_FIELD: Final = Struct(">ii").pack
_INT8_FIELD: Final = Struct(">iq").pack
_FLOAT4_FIELD: Final = Struct(">if").pack
_FLOAT8_FIELD: Final = Struct(">id").pack
_NULL: Final = b"\xff\xff\xff\xff"
_EMPTY: Final = bytes(4)
_EMPTY_ARRAY: Final = Struct(">iiii").pack(12, 0, 0, _INT2)
_EMPTY_FLOATS: Final = Struct(">iiii").pack(12, 0, 0, _FLOAT8)


def microseconds(at: datetime) -> int:
    """Return a timezone-aware time as PostgreSQL counts it: microseconds since 2000-01-01 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def hour_of(at_us: int) -> int:
    """Return the beginning of the UTC hour, in microseconds since 2000."""
    return at_us - at_us % _HOUR_US


def measurements(
    measured_us: int,
    received_us: int,
    device_id: int,
    quantity_ids: Iterable[int],
    channels: Iterable[int],
    values: Iterable[float],
) -> bytes:
    """Return rows of `measurements`, all of one time."""
    return b"".join([
        _MEASUREMENT(6, 8, measured_us, 8, received_us, 8, value, 4, device_id, 2, quantity_id, 2, channel)
        for quantity_id, channel, value in zip(quantity_ids, channels, values, strict=True)
    ])  # fmt: skip


def reception(
    received_us: int,
    key: int,
    device_id: int,
    gateway_id: int,
    rssi_dbm: float | None,
    snr_db: float | None,
    channel: int | None,
) -> bytes:
    """Return a row of `receptions`."""
    if rssi_dbm is not None and snr_db is not None and channel is not None:
        return _RECEPTION(7, 8, received_us, 8, key, 4, device_id, 4, gateway_id, 4, rssi_dbm, 4, snr_db, 2, channel)
    return b"".join((
        b"\0\7",
        _INT8_FIELD(8, received_us),
        _INT8_FIELD(8, key),
        _INT4_FIELD(4, device_id),
        _INT4_FIELD(4, gateway_id),
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
    payload = told.payload
    radio = (told.frequency_hz, decoder_id, told.bandwidth_hz, told.f_port, told.spreading_factor, told.data_rate)
    return b"".join((
        _UPLINK_HEAD(19, 8, received_us, 8, key, 8, ingested_us, 8, told.f_cnt),
        _radio(device_id, source_id, *radio),
        _FLAGS[told.confirmed, told.adr],
        _text(told.dev_addr),
        _text(outcome),
        _text(detail) if detail else _EMPTY,
        _LENGTH(len(payload)),
        payload,
        _NULL if object_json is None else _jsonb(object_json),
    ))  # fmt: skip


def _radio(
    device_id: int,
    source_id: int,
    frequency_hz: int | None,
    decoder_id: int | None,
    bandwidth_hz: int | None,
    f_port: int | None,
    factor: int | None,
    data_rate: int | None,
) -> bytes:
    try:  # most uplinks have them all; packing None is a struct.error
        return _UPLINK_RADIO(
            8, frequency_hz, 4, device_id, 4, decoder_id, 4, bandwidth_hz,
            2, source_id, 2, f_port, 2, factor, 2, data_rate,
        )  # fmt: skip
    except struct.error:
        return b"".join((
            _NULL if frequency_hz is None else _INT8_FIELD(8, frequency_hz),
            _INT4_FIELD(4, device_id),
            _NULL if decoder_id is None else _INT4_FIELD(4, decoder_id),
            _NULL if bandwidth_hz is None else _INT4_FIELD(4, bandwidth_hz),
            _INT2_FIELD(2, source_id),
            _int2(f_port),
            _int2(factor),
            _int2(data_rate),
        ))  # fmt: skip


class Layout(NamedTuple):
    """A set of (quantity_id, channel) that frames carry: its number, and its two arrays ready to send."""

    number: int
    arrays: bytes


@lru_cache(maxsize=4096)
def layout(quantity_ids: tuple[int, ...], channels: tuple[int, ...]) -> Layout:
    """Return the layout of these readings, in this order; number 0 is of a frame without readings."""
    if not quantity_ids:
        return Layout(0, _EMPTY_ARRAY * 2)
    number = crc32(repr((quantity_ids, channels)).encode()) - 0x8000_0000
    return Layout(number, _int2_array(quantity_ids) + _int2_array(channels))


def latest(device_id: int, kind: Layout, measured_us: int, received_us: int, values: Sequence[float]) -> bytes:
    """Return a row of `latest_frames`."""
    head = _LATEST(7, 4, device_id, 4, kind.number, 8, measured_us, 8, received_us)
    if not values:
        return head + kind.arrays + _EMPTY_FLOATS
    count = len(values)
    floats = b"".join([_FLOAT8_FIELD(8, value) for value in values])
    return b"".join((head, kind.arrays, _LENGTH(20 + 12 * count), _ARRAY(1, 0, _FLOAT8, count, 1), floats))


def _int2_array(numbers: Sequence[int]) -> bytes:
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
