"""What one transaction of ingest stores."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from hashlib import blake2b, sha256
from typing import Any, Final, NamedTuple

from domain.events import NetworkEvent, Uplink
from store import rows

STORED: Final = "stored"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"
IGNORED: Final = "ignored"  # known and of no interest: a downlink's command echoed, an integration's own event

_KEPT_BYTES: Final = 4096  # of a message too large to keep


class AccountKey(NamedTuple):
    """Under which head a message is counted, but for its outcome."""

    day: date
    source_id: int
    tenant_id: int | None
    kind: str


class Latest(NamedTuple):
    """A row of `latest_frames`, and what decides between two of them."""

    device_id: int
    layout: int
    measured_us: int
    received_us: int
    row: bytes


class Frame(NamedTuple):
    """One uplink with all that hangs on it: stored together, or not at all when it is a redelivery.

    Rows are bytes as `store.rows` makes them, several in a row where there are several.
    """

    key: tuple[int, datetime, int]  # device_id, received_at, uplink_key: what makes it unique
    uplink: bytes
    receptions: bytes
    live: bytes  # measurements of the moment of reception
    historical: bytes  # measurements of the past: frames may overlap, so they may be there already
    latest: Sequence[Latest]
    hours: frozenset[int]  # in which something of the device changed; microseconds since 2000
    past: Sequence[datetime]  # the times of the historical measurements
    account: AccountKey


class EventRow(NamedTuple):
    """One network event, ready to insert."""

    row: tuple[Any, ...]
    account: AccountKey


class QuarantineRow(NamedTuple):
    """One message, or one reading of a stored message, set aside."""

    row: tuple[Any, ...]
    account: AccountKey | None  # None for a reading: its message is counted as stored


class Batch(NamedTuple):
    """What one transaction stores.

    `heard` is when each gateway (by its number) was last heard of; `ignored` counts messages of no interest.
    """

    frames: list[Frame]
    events: list[EventRow]
    quarantined: list[QuarantineRow]
    heard: dict[int, datetime]
    ignored: Counter[AccountKey]

    @classmethod
    def empty(cls) -> "Batch":
        """Return a batch to append to."""
        return cls([], [], [], {}, Counter())

    def hear(self, gateway_id: int, at: datetime) -> None:
        """Note that a gateway was heard."""
        if at > self.heard.setdefault(gateway_id, at):
            self.heard[gateway_id] = at


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


class Live(NamedTuple):
    """Readings of the moment of reception, column by column."""

    quantity_ids: list[int]
    channels: list[int]
    values: list[float]


def frame(
    uplink: Uplink,
    key: int,
    ingested_us: int,
    found: rows.Found,
    live: Live,
    past: Sequence[Measured],
    receptions: Sequence[tuple[int, float | None, float | None, int | None]],
    account: AccountKey,
) -> Frame:
    """Return the rows of one uplink. A reception is (gateway_id, rssi_dbm, snr_db, channel), one a gateway."""
    received_at, device_id = uplink.received_at, found.device_id
    received_us = rows.microseconds(received_at)
    quantity_ids, channels, values = live
    hour = rows.hour_of(received_us)
    if past:
        hours = frozenset([hour, *(rows.hour_of(rows.microseconds(one.measured_at)) for one in past)])
    else:
        hours = frozenset((hour,))
    return Frame(
        (device_id, received_at, key),
        rows.uplink(received_us, key, ingested_us, uplink, found),
        b"".join([rows.reception(received_us, key, device_id, *one) for one in receptions]),
        rows.measurements(received_us, received_us, device_id, quantity_ids, channels, values),
        b"".join(_historical(device_id, received_us, past)) if past else b"",
        newest_of(device_id, received_at, live, past),
        hours,
        [one.measured_at for one in past],
        account,
    )


def newest_of(device_id: int, received_at: datetime, live: Live, past: Sequence[Measured]) -> list[Latest]:
    """Return the rows of `latest_frames` that one uplink makes."""
    received_us = rows.microseconds(received_at)
    if past:
        return _latest(device_id, received_us, [*_measured(received_at, live), *past])
    quantity_ids, channels, values = live
    kind = rows.layout(tuple(quantity_ids), tuple(channels))
    row = rows.latest(device_id, kind, received_us, received_us, values)
    return [Latest(device_id, kind.number, received_us, received_us, row)]


def _measured(received_at: datetime, live: Live) -> Iterator[Measured]:
    for quantity_id, channel, value in zip(*live, strict=True):
        yield Measured(quantity_id, channel, received_at, value)


def _historical(device_id: int, received_us: int, past: Iterable[Measured]) -> Iterator[bytes]:
    for quantity_id, channel, measured_at, value in past:
        at_us = rows.microseconds(measured_at)
        yield rows.measurements(at_us, received_us, device_id, (quantity_id,), (channel,), (value,))


def _latest(device_id: int, received_us: int, measured: Iterable[Measured]) -> list[Latest]:
    """Return one row a measured time: of a batch of hourly indexes, the newest of each (quantity, channel)."""
    newest: dict[tuple[int, int], Measured] = {}
    for one in measured:
        known = newest.get((one.quantity_id, one.channel))
        if known is None or one.measured_at > known.measured_at:
            newest[one.quantity_id, one.channel] = one
    by_time: dict[datetime, list[Measured]] = {}
    for one in newest.values():
        by_time.setdefault(one.measured_at, []).append(one)
    return [_latest_at(device_id, received_us, at, group) for at, group in by_time.items()]


def _latest_at(device_id: int, received_us: int, at: datetime, group: Sequence[Measured]) -> Latest:
    kind = rows.layout(tuple([one.quantity_id for one in group]), tuple([one.channel for one in group]))
    at_us = rows.microseconds(at)
    row = rows.latest(device_id, kind, at_us, received_us, [one.value for one in group])
    return Latest(device_id, kind.number, at_us, received_us, row)


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
    said = (message.source, message.topic, reason, reading, str(message.size))
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
        account.day if account is not None else at.date(),
        account.kind if account is not None else None,
        kept,
        message.size,
    )
    return QuarantineRow(row, account)


def _text(text: str, most: int) -> str:
    """Return text that PostgreSQL takes: no NUL, no lone surrogate, not too long."""
    return text[:most].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
