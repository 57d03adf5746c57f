"""The account of what was emitted: one record a message, appended to a file that no killed process holds.

File: the magic, the header's length (uint32), the header (JSON), then records of 48 bytes, little-endian.
A record that is cut short at the end (the generator itself was killed) is left out.
"""

import json
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, Self

import numpy as np

from domain.errors import ConfigurationError
from simulators.load.spec import LoadSpec

_MAGIC: Final = b"SAMLEDG1"
_RECORD: Final = struct.Struct("<IIIIqqHBBB3x8s")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNKNOWN_READINGS: Final = 255  # a damaged frame: what a decoder makes of it is its own affair

RECORD_TYPE: Final = np.dtype(
    {
        "names": ["device", "number", "dev_addr", "f_cnt", "received_ms", "emitted_ms",
                  "variant", "readings", "fault", "obligation", "digest"],
        "formats": ["<u4", "<u4", "<u4", "<u4", "<i8", "<i8", "<u2", "u1", "u1", "u1", "<u8"],
        "offsets": [0, 4, 8, 12, 16, 24, 32, 34, 35, 36, 40],
        "itemsize": _RECORD.size,
    }
)  # fmt: skip


class Fault(IntEnum):
    """What befell a message."""

    NONE = 0
    DUPLICATE = 1
    REDELIVERED = 2
    NEW_ID = 3
    LATE_RECEPTION = 4
    REORDERED = 5
    PAYLOAD_TRUNCATED = 6
    PAYLOAD_FLIPPED = 7
    MESSAGE_CUT = 8
    OUTAGE = 9
    CLOCK_DRIFT = 10
    F_CNT_RESET = 11
    ROLL_OVER = 12
    REJOINED = 13
    DEATH = 14  # of the device: this was its last message


class Obligation(IntEnum):
    """What the platform owes a message."""

    STORED_ONCE = 0
    STORED_OR_MERGED = 1  # a new deduplication id for a known frame: stored once, or recognised; never twice
    SET_ASIDE = 2  # unreadable: quarantined, never stored as an uplink


class Entry(NamedTuple):
    """What was emitted. `variant` tells apart several deduplication ids of one uplink of a device.

    `digest` is of the frame's payload; of the whole message when that is to be set aside.
    """

    device: int
    number: int
    dev_addr: int
    f_cnt: int
    received_ms: int
    variant: int
    readings: int
    fault: Fault
    obligation: Obligation
    digest: bytes

    @property
    def received_at(self) -> datetime:
        """The network server's time of it."""
        return _EPOCH + timedelta(milliseconds=self.received_ms)


def payload_digest(payload: bytes) -> bytes:
    """Return eight bytes that stand for a frame's payload."""
    return blake2b(payload, digest_size=8).digest()


def dev_eui(spec: LoadSpec, device: int) -> str:
    """Return the DevEUI of a load's device."""
    return f"{spec.first_dev_eui + device:016x}"


def deduplication_id(spec: LoadSpec, entry: Entry) -> str:
    """Return the UUID that its message carried."""
    return deduplication_text(spec.seed, entry.device, entry.number, entry.variant).decode()


def deduplication_text(seed: int, device: int, number: int, variant: int) -> bytes:
    """Return a version 4 UUID: no two uplinks of one load share one."""
    return b"%08x-%04x-4%03x-8%03x-%012x" % (
        seed & 0xFFFF_FFFF,
        device >> 12,
        device & 0xFFF,
        variant & 0xFFF,
        number,
    )


class LedgerWriter:
    """Appends records. A context manager; what is written is with the kernel before the message is published."""

    def __init__(self, path: Path, spec: LoadSpec) -> None:
        self.records = 0
        self._path = path
        self._header = json.dumps({"spec": _plain(spec)}).encode()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("wb", buffering=0)
        self._file.write(_MAGIC + len(self._header).to_bytes(4, "little") + self._header)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, entries: Iterable[Entry], emitted_ms: int) -> None:
        """Record entries that are published now (milliseconds since 1970)."""
        assert self._file is not None, "the ledger is not open"
        packed = [
            _RECORD.pack(device, number, addr, f_cnt, received, emitted_ms, variant, readings, fault, duty, digest)
            for device, number, addr, f_cnt, received, variant, readings, fault, duty, digest in entries
        ]
        self.records += len(packed)
        self._file.write(b"".join(packed))


class Ledger(NamedTuple):
    """A ledger as read back: the spec's plain fields, and a structured array of RECORD_TYPE."""

    spec: dict[str, Any]
    records: np.ndarray[Any, Any]


def read(path: Path) -> Ledger:
    """Read a ledger; raise ConfigurationError if it is not one."""
    data = path.read_bytes()
    if data[:8] != _MAGIC:
        raise ConfigurationError(f"{path} is not a ledger")
    start = 12 + int.from_bytes(data[8:12], "little")
    whole = (len(data) - start) // _RECORD.size
    records = np.frombuffer(data, dtype=RECORD_TYPE, count=whole, offset=start)
    return Ledger(json.loads(data[12:start])["spec"], records)


def _plain(spec: LoadSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "seed": spec.seed,
        "source": spec.source,
        "format": spec.format,
        "devices": spec.devices,
        "uplinks_per_device": spec.uplinks_per_device,
        "first_dev_eui": spec.first_dev_eui,
        "start_at": spec.start_at.isoformat(),
    }
