"""What one transaction of ingest stores, in the order and the types of the tables' columns.

The row tuples below are what COPY sends; each names its table's columns in `store/writing.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any, Final, NamedTuple
from zlib import crc32

from domain.events import NetworkEvent, Uplink
from domain.readings import Reading

STORED: Final = "stored"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"

_KEPT_BYTES: Final = 4096  # of a message too large to keep


class AccountKey(NamedTuple):
    """Under which head a message is counted, but for its outcome."""

    day: date
    source_id: int
    tenant_id: int | None
    kind: str


class Frame(NamedTuple):
    """One uplink with all that hangs on it: stored together, or not at all when it is a redelivery."""

    uplink: tuple[Any, ...]
    receptions: Sequence[tuple[Any, ...]]
    live: Sequence[tuple[Any, ...]]  # measurements of the moment of reception
    historical: Sequence[tuple[Any, ...]]  # measurements of the past: frames may overlap, so they may be there already
    latest: Sequence[tuple[Any, ...]]
    hours: frozenset[datetime]
    account: AccountKey

    @property
    def key(self) -> tuple[int, datetime, int]:
        """Return what makes the uplink unique: (device_id, received_at, uplink_key)."""
        return self.uplink[5], self.uplink[0], self.uplink[1]


class EventRow(NamedTuple):
    """One network event, ready to insert."""

    row: tuple[Any, ...]
    account: AccountKey


class QuarantineRow(NamedTuple):
    """One message, or one reading of a stored message, set aside."""

    row: tuple[Any, ...]
    account: AccountKey | None  # None for a reading: its message is counted as stored


class Batch(NamedTuple):
    """What one transaction stores."""

    frames: list[Frame]
    events: list[EventRow]
    quarantined: list[QuarantineRow]

    @classmethod
    def empty(cls) -> "Batch":
        """Return a batch to append to."""
        return cls([], [], [])


class Measured(NamedTuple):
    """A plausible reading with its quantity's number and its true time."""

    quantity_id: int
    channel: int
    measured_at: datetime
    value: float


def uplink_key(source: str, uplink: Uplink) -> int:
    """Return the 64-bit key that is the same at every redelivery of this uplink, and at no other uplink."""
    said = f"{source}\0{uplink.dev_eui}\0{uplink.dev_addr}\0{uplink.f_cnt}\0{uplink.deduplication_id}"
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)


def event_key(source: str, event: NetworkEvent) -> int:
    """Return the 64-bit key that is the same at every redelivery of this event."""
    said = f"{source}\0{event.kind}\0{event.dev_eui}\0{event.gateway_eui}\0{event.event_id}"
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)


def measured_at(reading: Reading, received_at: datetime) -> datetime:
    """Return when the reading was true: the device's own time, or its age before reception."""
    if reading.measured_at is not None:
        return reading.measured_at.astimezone(UTC)
    return received_at - timedelta(seconds=reading.age_s) if reading.age_s else received_at


def frame(
    uplink: Uplink,
    *,
    key: int,
    device_id: int,
    source_id: int,
    decoder_id: int | None,
    outcome: str,
    detail: str,
    object_json: str | None,
    measured: Sequence[Measured],
    gateways: Iterable[tuple[int, float | None, float | None, int | None]],
    ingested_at: datetime,
    account: AccountKey,
) -> Frame:
    """Return the rows of one uplink. `gateways` yields (gateway_id, rssi_dbm, snr_db, channel), one a gateway."""
    received = uplink.received_at
    row = (
        received,
        key,
        ingested_at,
        uplink.f_cnt,
        uplink.frequency_hz,
        device_id,
        decoder_id,
        uplink.bandwidth_hz,
        source_id,
        uplink.f_port,
        uplink.spreading_factor,
        uplink.data_rate,
        uplink.confirmed,
        uplink.adr,
        uplink.dev_addr,
        outcome,
        detail,
        uplink.payload,
        object_json,
    )
    live: list[tuple[Any, ...]] = []
    historical: list[tuple[Any, ...]] = []
    for quantity_id, channel, at, value in measured:
        (live if at is received else historical).append((at, received, value, device_id, quantity_id, channel))
    return Frame(
        uplink=row,
        receptions=[(received, key, device_id, *gateway) for gateway in gateways],
        live=live,
        historical=historical,
        latest=_latest(device_id, received, measured),
        hours=_hours(received, historical),
        account=account,
    )


def _hours(received: datetime, historical: Sequence[tuple[Any, ...]]) -> frozenset[datetime]:
    times = [received, *(row[0] for row in historical)] if historical else (received,)
    return frozenset(at.replace(minute=0, second=0, microsecond=0) for at in times)


def _latest(device_id: int, received: datetime, measured: Sequence[Measured]) -> list[tuple[Any, ...]]:
    """Return one row a measured time: a frame of live readings has one, a batch of hourly indexes its newest."""
    newest: dict[tuple[int, int], Measured] = {}
    for one in measured:
        known = newest.get((one.quantity_id, one.channel))
        if known is None or one.measured_at > known.measured_at:
            newest[one.quantity_id, one.channel] = one
    if not newest:
        return [(device_id, 0, received, received, [], [], [])]
    by_time: dict[datetime, list[Measured]] = {}
    for one in newest.values():
        by_time.setdefault(one.measured_at, []).append(one)
    return [_latest_row(device_id, received, at, group) for at, group in by_time.items()]


def _latest_row(device_id: int, received: datetime, at: datetime, group: list[Measured]) -> tuple[Any, ...]:
    quantity_ids = [one.quantity_id for one in group]
    channels = [one.channel for one in group]
    layout = crc32(repr((quantity_ids, channels)).encode()) - 0x8000_0000
    return device_id, layout, at, received, quantity_ids, channels, [one.value for one in group]


class SetAside(NamedTuple):
    """A message that quarantine keeps. `size` is its true size: more than len(body) when it was cut."""

    source: str
    source_id: int
    lns: str
    topic: str
    body: bytes
    size: int
    dev_eui: str | None


def quarantine_row(
    message: SetAside,
    *,
    reason: str,
    detail: str,
    at: datetime,
    account: AccountKey | None,
    tenant_id: int | None = None,
) -> QuarantineRow:
    """Return what is kept of a message that could not be stored, or of a reading that was not plausible.

    `account` is None for a reading. PostgreSQL's text cannot hold NUL: it is written as U+FFFD.
    """
    reading = detail if account is None else ""  # two readings of one message are two rows
    said = (message.source, message.topic, reason, reading)
    digest = sha256(b"\0".join([*(text.encode("utf-8", "replace") for text in said), message.body])).digest()
    kept = message.body if message.size == len(message.body) else message.body[:_KEPT_BYTES]
    row = (
        digest,
        at,
        message.source_id,
        message.lns,
        _text(message.topic, 1024),
        reason,
        _text(detail, 2000),
        message.dev_eui,
        tenant_id,
        kept,
        message.size,
    )
    return QuarantineRow(row, account)


def _text(text: str, most: int) -> str:
    """Return text that PostgreSQL takes: no NUL, no lone surrogate, not too long."""
    return text[:most].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
