"""The way back from the disk spool: whenever the store answers, what is spooled goes to it, oldest first.

`Shelf` is the spool as the event loop uses it; `StoreState` is what the live path and the drain know of the store.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from domain.errors import StoreUnavailableError
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from ingest.spool import Chunk, Spool, Spooled
from ingest.writer import Writer

log = structlog.get_logger()

_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class StoreState:
    """Whether the store answers, as whoever asked last found it. A change is logged once."""

    def __init__(self, metrics: IngestMetrics) -> None:
        self.is_up = True
        self._metrics = metrics

    def failed(self, error: Exception) -> None:
        """Take note that it did not answer, or not in time."""
        if self.is_up:
            log.error("store_down", detail=str(error) or type(error).__name__, action="spooling until it answers")
        self.is_up = False
        self._metrics.store_up.set(0)

    def answered(self) -> None:
        """Take note that it stored something in time."""
        if not self.is_up:
            log.info("store_up", action="draining the spool")
        self.is_up = True
        self._metrics.store_up.set(1)


class Shelf:
    """The spool, which takes one caller at a time and blocks, in a thread of its own.

    `filled` is set while there may be something to drain: also what the process that was here before has left.
    """

    def __init__(self, spool: Spool) -> None:
        self.filled = asyncio.Event()
        self.size_bytes = spool.size_bytes  # when it was last touched
        if not spool.is_empty:
            self.filled.set()
        self._spool = spool
        self._thread = ThreadPoolExecutor(1, "spool")

    async def put(self, messages: Sequence[Message]) -> int:
        """Return the spool's bytes once the messages are on the disk; raise SpoolFullError, or OSError."""
        records = [
            Spooled(one.origin.source, one.origin.lns, one.topic, one.size, one.body, one.arrived_at)
            for one in messages
        ]
        size = await asyncio.get_running_loop().run_in_executor(self._thread, self._put, records)
        self.size_bytes = size
        self.filled.set()
        return size

    async def oldest(self, max_records: int, max_bytes: int) -> Chunk:
        """Return the oldest messages; raise OSError."""

        def read() -> Chunk:
            return self._spool.read(max_records=max_records, max_bytes=max_bytes)

        return await asyncio.get_running_loop().run_in_executor(self._thread, read)

    async def forget(self, chunk: Chunk) -> tuple[int, bool]:
        """Forget what was drained; return the bytes that are left, and whether nothing is."""
        self.size_bytes, is_empty = await asyncio.get_running_loop().run_in_executor(self._thread, self._forget, chunk)
        return self.size_bytes, is_empty

    def close(self) -> None:
        """Release the disk."""
        self._thread.shutdown()
        self._spool.close()

    def _put(self, records: Sequence[Spooled]) -> int:
        self._spool.put(records)
        return self._spool.size_bytes

    def _forget(self, chunk: Chunk) -> tuple[int, bool]:
        self._spool.drained(chunk.end)
        return self._spool.size_bytes, self._spool.is_empty


class Drain:
    """Empties the shelf by a writer of its own, so that what is live does not wait for it."""

    def __init__(
        self, settings: IngestSettings, *, shelf: Shelf, writer: Writer, store: StoreState, metrics: IngestMetrics
    ) -> None:
        self._settings = settings
        self._shelf = shelf
        self._writer = writer
        self._store = store
        self._metrics = metrics

    async def run(self) -> None:
        """Drain until cancelled; what fails is tried again, less and less often."""
        failures, filled = 0, self._shelf.filled
        while True:
            await filled.wait()
            filled.clear()
            try:
                is_empty = await self._some()
            except (StoreUnavailableError, OSError) as error:
                filled.set()
                if isinstance(error, StoreUnavailableError):
                    self._store.failed(error)
                else:
                    log.error("spool_unreadable", detail=str(error), action="check the disk of the spool")  # noqa: TRY400
                await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1
                continue
            failures = 0
            if not (is_empty and self._store.is_up):
                filled.set()

    async def _some(self) -> bool:
        """Move the oldest messages to the store; return whether there are no more.

        A store that took them in time is up again. In a slower one what is live would only run out of time.
        """
        loop, settings = asyncio.get_running_loop(), self._settings
        chunk = await self._shelf.oldest(settings.max_batch, settings.max_unacknowledged_bytes // 8)
        messages = [
            Message(Origin(one.source, one.lns, _ignore), 0, one.topic, one.body, one.size, one.arrived_at)
            for one in chunk.records
        ]
        began = loop.time()
        self._metrics.count(await self._writer.store(messages))
        if loop.time() - began < settings.spool_after_s:
            self._store.answered()
        size, is_empty = await self._shelf.forget(chunk)
        self._metrics.spool_bytes.set(size)
        if chunk.damaged_bytes:
            self._metrics.spool_damaged.inc(chunk.damaged_bytes)
            log.error("spool_damaged", bytes=chunk.damaged_bytes, action="check the disk of the spool")
        return is_empty


def _ignore(_tokens: Sequence[int]) -> None:
    """Acknowledge nobody: what is drained was acknowledged from the spool."""
