"""Reads captured messages: NDJSON of {"topic", "payload"}, plain or gzip, and the times they carry."""

import gzip
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from domain.errors import ConfigurationError

STDIN: Final = "-"
_GZIP_MAGIC: Final = b"\x1f\x8b"

# A time by any name that a network server gives it, as (name)(second)(fraction)(offset).
_STAMP: Final = re.compile(
    rb'("(?:[a-z]+_)?(?:time|nsTime|gwTime|Time|received_at|created|timestamp)"\s*:\s*")'
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)\""
)
_GPS: Final = re.compile(rb'("timeSinceGpsEpoch"\s*:\s*")(\d+)((?:\.\d+)?s")')


class Message(NamedTuple):
    """One captured message; `at` is when its network server says it was received, if it says."""

    topic: str
    payload: bytes
    at: datetime | None


class Skipped(NamedTuple):
    """A line that is not a message: where it is, and why."""

    file: str
    line: int
    reason: str


class Line(NamedTuple):
    """One line of a file: a message, or why not; `position` of `size` bytes read (size 0 when unknown)."""

    item: Message | Skipped
    position: int
    size: int


class _Record(msgspec.Struct):
    topic: str
    payload: msgspec.Raw  # kept byte for byte: what is replayed is what was captured


def read(name: str | Path) -> Iterator[Line]:
    """Yield each line of a file (`-` is standard input); raise ConfigurationError if it cannot be opened.

    A file that is cut short, or damaged half-way, ends with a Skipped line that says so.
    """
    with ExitStack() as stack:
        try:
            raw = sys.stdin.buffer if str(name) == STDIN else stack.enter_context(Path(name).open("rb"))
            size = 0 if str(name) == STDIN else Path(name).stat().st_size
        except OSError as error:
            raise ConfigurationError(f"cannot read {name}: {error.strerror}") from error
        decoder, number = msgspec.json.Decoder(_Record), 0
        try:
            for number, line in enumerate(_lines(raw), start=1):
                if not line.isspace():
                    yield Line(_parse(decoder, str(name), number, line), raw.tell() if size else 0, size)
        except (EOFError, OSError, zlib.error) as error:
            yield Line(Skipped(str(name), number + 1, f"the file breaks off here: {error}"), size, size)


def _lines(raw: BinaryIO) -> Iterator[bytes]:
    magic = raw.peek(2)[:2] if isinstance(raw, BufferedReader) else b""
    return iter(gzip.open(raw, "rb")) if magic == _GZIP_MAGIC else iter(raw)


def _parse(decoder: "msgspec.json.Decoder[_Record]", file: str, number: int, line: bytes) -> Message | Skipped:
    try:
        record = decoder.decode(line)
        payload = bytes(record.payload)
        if payload.startswith(b'"'):
            payload = msgspec.json.decode(payload, type=str).encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Skipped(file, number, str(error))
    if not record.topic or "+" in record.topic or "#" in record.topic or "\0" in record.topic:
        return Skipped(file, number, "the topic cannot be published to")
    return Message(record.topic, payload, recorded_at(payload))


def recorded_at(payload: bytes) -> datetime | None:
    """Return the first time that the message carries, None if it carries none."""
    match = _STAMP.search(payload)
    if match is None:
        return None
    _, second, fraction, offset = (part.decode() for part in match.groups())
    try:
        return datetime.fromisoformat(f"{second}{fraction[:7]}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def shifted(payload: bytes, delta: timedelta) -> bytes:
    """Return the message with every time in it moved by `delta`, to the second; digits and offsets stay."""
    seconds = round(delta.total_seconds())

    def stamp(match: re.Match[bytes]) -> bytes:
        name, second, fraction, offset = match.groups()
        try:
            moved = datetime.fromisoformat(second.decode()) + timedelta(seconds=seconds)
        except (ValueError, OverflowError):
            return match.group()
        return name + moved.isoformat().encode() + fraction + offset + b'"'

    def gps(match: re.Match[bytes]) -> bytes:
        return match[1] + str(max(0, int(match[2]) + seconds)).encode() + match[3]

    return _GPS.sub(gps, _STAMP.sub(stamp, payload))
