"""The disk spool: where messages go when the database does not answer, and whence they are drained in order.

Append-only segment files of checksummed records. `put` returns once the records are on the disk (fdatasync):
what it returned for survives a power cut. Raw messages are kept, not rows: drained, they take the whole path.
A record is found by its magic and proven by its checksum, so damage costs the records it lies in and no other;
SQLite, with pages that hold several records and a tree above them, could not promise that
(docs/decisions/0004-spool.md).

    record = magic (4) | length of the rest (uint32) | CRC-32 of the rest (uint32) | rest (MessagePack)
"""

import contextlib
import fcntl
import os
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from domain.errors import ConfigurationError, SamaraError

_MAGIC: Final = b"\xa5SR\x01"
_HEADER: Final = struct.Struct(">4sII")
_SEGMENT_BYTES: Final = 16 * 1024 * 1024
_SEGMENT: Final = re.compile(r"(\d{10})\.spool\Z")


class SpoolFullError(SamaraError):
    """The spool has reached its bound, or its disk is full; acknowledgements stop until there is room."""


class Spooled(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A message as kept on disk; the fields are those of `ingest.messages.Message`."""

    source: str
    lns: str
    topic: str
    size: int
    body: bytes
    arrived_at: datetime


class Position(NamedTuple):
    """A place in the spool: everything before it has been drained."""

    segment: int
    offset: int


class Chunk(NamedTuple):
    """Records in the order they were put, the place after them, and the damaged bytes met on the way."""

    records: list[Spooled]
    end: Position
    damaged_bytes: int


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Spooled).decode


class Spool:
    """One process's spool, in a folder of its own. Not thread-safe: one caller at a time.

    Raises ConfigurationError when another process holds the folder.
    """

    def __init__(self, folder: Path, *, max_bytes: int, segment_bytes: int = _SEGMENT_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._lock = _lock(folder)
        self._sizes = {number: path.stat().st_size for number, path in _segments(folder)}
        self._position = self._saved_position()
        self._next = max(self._position.segment, *self._sizes, 0) + 1  # never behind what counts as drained
        self._file: int | None = None  # the segment being written; a new one at each start, so no torn tail grows

    @property
    def size_bytes(self) -> int:
        """Return what the segments hold, drained or not."""
        return sum(self._sizes.values())

    @property
    def is_empty(self) -> bool:
        """Say whether everything put has been drained."""
        return all(self._start(number) >= size for number, size in self._sizes.items())

    def put(self, records: Sequence[Spooled]) -> None:
        """Write the records and sync them to the disk; raise SpoolFullError, and keep none, if there is no room."""
        data = b"".join(_framed(record) for record in records)
        if self.size_bytes + len(data) > self._max_bytes:
            raise SpoolFullError(f"{self._folder}: {self.size_bytes} of {self._max_bytes} bytes used")
        try:
            self._append(data)
        except OSError as error:
            raise SpoolFullError(f"{self._folder}: {error.strerror}") from error

    def read(self, *, max_records: int, max_bytes: int) -> Chunk:
        """Return the oldest records not yet drained, at least one if there is any."""
        records: list[Spooled] = []
        damaged, taken, end = 0, 0, self._position
        for number in sorted(self._sizes):
            for offset, record, skipped in self._scan(number, self._start(number)):
                damaged += skipped
                end = Position(number, offset)
                if record is not None:
                    records.append(record)
                    taken += len(record.body)
                if len(records) >= max_records or taken >= max_bytes:
                    return Chunk(records, end, damaged)
        return Chunk(records, end, damaged)

    def drained(self, end: Position) -> None:
        """Forget what lies before `end`: its records are stored."""
        self._position = end
        for number in [number for number in self._sizes if Position(number, self._sizes[number]) <= end]:
            if number == self._next - 1:
                self._close_segment()
            (self._folder / _name(number)).unlink()
            del self._sizes[number]
        temporary = self._folder / "position.new"
        with contextlib.suppress(OSError):  # the disk is full. A lost position: drained twice, stored once
            temporary.write_bytes(_sealed(end))
            temporary.replace(self._folder / "position")

    def close(self) -> None:
        """Close the files. What was put stays."""
        self._close_segment()
        os.close(self._lock)

    def _start(self, number: int) -> int:
        """Return from which byte on a segment has not been drained."""
        segment, offset = self._position
        if number < segment:
            return self._sizes[number]
        return offset if number == segment else 0

    def _append(self, data: bytes) -> None:
        """Write to the last segment, or to a new one, all or nothing; raise OSError."""
        used = self._sizes.get(self._next - 1, 0)
        if self._file is None or (used and used + len(data) > self._segment_bytes):
            self._open_segment()
            used = 0
        assert self._file is not None
        try:
            _write_all(self._file, data)
            os.fdatasync(self._file)
        except OSError:
            try:
                os.ftruncate(self._file, used)
            except OSError:
                self._close_segment()  # nobody knows what its tail holds: nothing may follow it
            raise
        self._sizes[self._next - 1] = used + len(data)

    def _open_segment(self) -> None:
        self._close_segment()
        path = self._folder / _name(self._next)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _sync_folder(self._folder)
        except OSError:
            os.close(file)
            path.unlink()
            raise
        self._file = file
        self._sizes[self._next] = 0
        self._next += 1

    def _close_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _scan(self, number: int, start: int) -> Iterator[tuple[int, Spooled | None, int]]:
        """Yield (offset after, record or None, damaged bytes before it) from `start` to the end of a segment."""
        path, size = self._folder / _name(number), self._sizes[number]
        with path.open("rb") as file:
            offset = start
            while offset < size:
                record, end = _record_at(file.fileno(), offset, size)
                skipped = 0
                if record is None:
                    end = _next_magic(file.fileno(), offset + 1, size)
                    skipped = end - offset
                offset = end
                yield offset, record, skipped

    def _saved_position(self) -> Position:
        """Return where the last process was; the beginning when that is lost or damaged."""
        try:
            content = (self._folder / "position").read_bytes()
            segment, offset, _ = content.split()
            position = Position(int(segment), int(offset))
        except (FileNotFoundError, ValueError):
            return Position(0, 0)
        return position if _sealed(position) == content else Position(0, 0)


def _framed(record: Spooled) -> bytes:
    rest = _encode(record)
    return _HEADER.pack(_MAGIC, len(rest), crc32(rest)) + rest


def _sealed(position: Position) -> bytes:
    """Return a position with its checksum: a wrong one would take what is there for drained."""
    said = b"%d %d" % position
    return b"%b %d" % (said, crc32(said))


def _record_at(file: int, offset: int, size: int) -> tuple[Spooled | None, int]:
    """Return the record that begins at `offset` and where it ends; (None, offset) when it is damaged."""
    header = os.pread(file, _HEADER.size, offset)
    if len(header) == _HEADER.size:
        magic, length, checksum = _HEADER.unpack(header)
        end = offset + _HEADER.size + length
        if magic == _MAGIC and end <= size:
            rest = os.pread(file, length, offset + _HEADER.size)
            if crc32(rest) == checksum:
                try:
                    return _decode(rest), end
                except msgspec.MsgspecError:
                    pass
    return None, offset


def _next_magic(file: int, offset: int, size: int) -> int:
    """Return where the next record that proves right begins, or the end of the segment."""
    while offset < size:
        window = os.pread(file, 1 << 20, offset)
        found = window.find(_MAGIC)
        if found < 0:
            offset += max(len(window) - len(_MAGIC) + 1, 1)
            continue
        offset += found
        if _record_at(file, offset, size)[0] is not None:
            return offset
        offset += 1
    return size


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _name(number: int) -> str:
    return f"{number:010d}.spool"


def _segments(folder: Path) -> Iterator[tuple[int, Path]]:
    for path in folder.iterdir():
        match = _SEGMENT.match(path.name)
        if match is not None:
            yield int(match[1]), path


def _lock(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigurationError(
            f"{folder}: another ingest process uses this spool; give each its own folder"
        ) from None
    return lock


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
