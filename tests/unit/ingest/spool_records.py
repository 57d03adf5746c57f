"""Records to put, and ways to take them out again."""

from collections.abc import Callable
from datetime import UTC, datetime

from ingest.spool import Spool, Spooled, SpoolFullError

MEGABYTE = 1 << 20
ARRIVED = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC)
Open = Callable[..., Spool]


def record(body: bytes | int, topic: str = "t") -> Spooled:
    content = body if isinstance(body, bytes) else f"record {body}".encode()
    return Spooled("source", "chirpstack", topic, len(content), content, ARRIVED)


def bodies(spool: Spool) -> list[bytes]:
    return [one.body for one in spool.read(max_records=10**6, max_bytes=10**9).records]


def drain(spool: Spool, count: int = 10**6) -> list[Spooled]:
    chunk = spool.read(max_records=count, max_bytes=10**9)
    spool.drained(chunk.end)
    return chunk.records


def fill(spool: Spool, size: int = 3000) -> tuple[list[bytes], str]:
    """Put until it is full; return what was taken, and why no more was."""
    taken: list[bytes] = []
    while True:
        body = f"{len(taken)}:".encode() + bytes(size)
        try:
            spool.put([record(body)])
        except SpoolFullError as full:
            return taken, str(full)
        taken.append(body)
