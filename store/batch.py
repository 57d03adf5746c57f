"""What ingest stores, before it is packed."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import blake2b, sha256
from struct import Struct
from typing import Any, Final, NamedTuple

from domain.events import NetworkEvent, Uplink
from store import rows

STORED: Final = "stored"
DUPLICATE: Final = "duplicate"
QUARANTINED: Final = "quarantined"
IGNORED: Final = "ignored"  # known and of no interest: a downlink's command echoed, an integration's own event

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time
_INT8: Final = Struct(">q").unpack
_DIGEST: Final = blake2b(digest_size=8)  # to copy: setting its size is half the time of a digest
_KEPT_BYTES: Final = 4096  # of a message too large to keep


Key = tuple[int, datetime, int]  # device_id, received_at, uplink_key: what makes an uplink unique


class AccountKey(NamedTuple):
    """Under which head a message is counted, but for its outcome."""

    day: date
    source_id: int
    tenant_id: int | None
    kind: str


class Measured(NamedTuple):
    """A plausible reading with its quantity's number and its true time."""

    quantity_id: int
    channel: int
    measured_at: datetime
    value: float


class Live(NamedTuple):
    """Readings of the moment of reception, column by column."""

    quantity_ids: tuple[int, ...]
    channels: tuple[int, ...]
    values: tuple[float, ...]


class Frame(NamedTuple):
    """One uplink with all that hangs on it: stored together, or not at all when it is a redelivery.

    `store.packing` makes the rows of it. `past` are measurements of the past: frames may overlap, so they may be
    there already.
    """

    key: Key
    received_us: int
    uplink: Uplink
    found: rows.Found
    hearings: Sequence[rows.Hearing]  # one a gateway
    live: Live
    layout: rows.Layout  # of `live`
    past: Sequence[Measured]
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
    """What some messages said, for `store.packing`. `ingested_us` is when, in microseconds since 2000.

    `heard` is when each gateway (by its number) was last heard of; `ignored` counts messages of no interest.
    """

    frames: list[Frame]
    events: list[EventRow]
    quarantined: list[QuarantineRow]
    heard: dict[int, datetime]
    ignored: Counter[AccountKey]
    ingested_us: int

    @classmethod
    def empty(cls, ingested_us: int) -> "Batch":
        """Return a batch to append to."""
        return cls([], [], [], {}, Counter(), ingested_us)

    def hear(self, gateway_id: int, at: datetime) -> None:
        """Note that a gateway was heard."""
        if at > self.heard.setdefault(gateway_id, at):
            self.heard[gateway_id] = at


def uplink_key(source: str, uplink: Uplink) -> int:
    """Return the 64-bit key that is the same at every redelivery of this uplink, and at no other uplink."""
    said = f"{source}\0{uplink.dev_eui}\0{uplink.dev_addr}\0{uplink.f_cnt}\0{uplink.deduplication_id}"
    return _digest(said)


def event_key(source: str, event: NetworkEvent) -> int:
    """Return the 64-bit key that is the same at every redelivery of this event."""
    said = f"{source}\0{event.kind}\0{event.dev_eui}\0{event.gateway_eui}\0{event.event_id}"
    return _digest(said)


def _digest(said: str) -> int:
    digest = _DIGEST.copy()
    digest.update(said.encode())
    number: int = _INT8(digest.digest())[0]
    return number


def frame(
    uplink: Uplink,
    key: int,
    found: rows.Found,
    live: Live,
    past: Sequence[Measured],
    hearings: Sequence[rows.Hearing],
    account: AccountKey,
) -> Frame:
    """Return one uplink, heard once by each gateway."""
    received_at = uplink.received_at
    return _new(
        Frame,
        (
            (found.device_id, received_at, key),
            rows.microseconds(received_at),
            uplink,
            found,
            hearings,
            live,
            rows.layout(live[0], live[1]),
            past,
            account,
        ),
    )


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
