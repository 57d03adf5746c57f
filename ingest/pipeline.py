"""From receipt to acknowledgement: gather what waits, store it, acknowledge it; spool it when the store is away.

    offer() -> waiting -> batch -> Writer.store -> acknowledge
                            └ store unavailable -> Spool.put -> acknowledge … drain() -> Writer.store

A message is acknowledged once it is durable, and acknowledgements go out in the order of receipt (MQTT-4.6.0-2).
What is held without being acknowledged is bounded in number and in bytes: a receiver stops reading while
`is_full`, and goes on when `on_room` is called.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import groupby
from typing import Final

import structlog

from domain.errors import StoreUnavailableError
from ingest.intake import IntakeClosedError
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from ingest.spool import Chunk, Spool, Spooled, SpoolFullError
from ingest.writer import Writer

log = structlog.get_logger()

_BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_FULL_AGAIN_S: Final = 1.0
_DUTY: Final = 0.5  # how long to gather, as a multiple of how long storing takes


class _Held:
    """A batch between receipt and acknowledgement."""

    __slots__ = ("durable", "messages")

    def __init__(self, messages: list[Message]) -> None:
        self.messages = messages
        self.durable = False


class Pipeline:
    """The one path by which messages become durable. Everything happens on one event loop."""

    def __init__(
        self,
        settings: IngestSettings,
        *,
        writers: Sequence[Writer],
        drainer: Writer,
        spool: Spool,
        metrics: IngestMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._spool = spool
        self._drainer = drainer
        self._disk = ThreadPoolExecutor(1, "spool")  # the spool takes one caller at a time
        self._idle: asyncio.Queue[Writer] = asyncio.Queue()
        for writer in writers:
            self._idle.put_nowait(writer)
        self._waiting: deque[Message] = deque()
        self._in_flight: deque[_Held] = deque()
        self._arrived = asyncio.Event()
        self._spooled = asyncio.Event()
        if not spool.is_empty:
            self._spooled.set()  # by the process that was here before
        self._nothing_held = asyncio.Event()
        self._nothing_held.set()
        self._held = 0
        self._held_bytes = 0
        metrics.held.set_function(lambda: self._held)  # asked when read: it must be right while nothing moves, too
        metrics.held_bytes.set_function(lambda: self._held_bytes)
        self._store_up = True
        self._spool_said_full = False
        self._storing_s = 0.003
        self._stopping = False
        self._on_room: list[Callable[[], None]] = []

    # --- the receivers' side ------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Say whether a receiver must stop reading."""
        return (
            self._stopping
            or self._held >= self._settings.max_unacknowledged
            or self._held_bytes >= self._settings.max_unacknowledged_bytes
        )

    def why_not_taking(self) -> str:
        """Say why nothing is acknowledged now; '' when messages are."""
        if self._stopping:
            return "stopping"
        return "the database is away and the spool is full" if self._spool_said_full and not self._store_up else ""

    def on_room(self, call: Callable[[], None]) -> None:
        """Call this whenever the pipeline, having been full, has room again."""
        self._on_room.append(call)

    def offer(self, messages: Sequence[Message]) -> None:
        """Take messages; each is acknowledged through its origin once durable."""
        self._waiting.extend(messages)
        self._held += len(messages)
        self._held_bytes += sum([len(message.body) for message in messages])
        self._arrived.set()
        self._nothing_held.clear()

    async def deliver(self, source: str, lns: str, topic: str, body: bytes) -> None:
        """Take one message and return once it is durable; raise IntakeClosedError when full or stopping."""
        if self.is_full:
            raise IntakeClosedError
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def acknowledge(_tokens: Sequence[int]) -> None:
            if not durable.done():
                durable.set_result(None)

        self._metrics.received.labels(source).inc()
        self.offer([Message(Origin(source, lns, acknowledge), 0, topic, body, len(body), self._clock())])
        await durable

    # --- the path -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Move messages until cancelled; what is not durable by then is not acknowledged either."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drain())
            while True:
                await self._arrived.wait()
                writer = await self._idle.get()
                await self._gather()
                tasks.create_task(self._settle(self._take(), writer))

    async def stop(self, within_s: float) -> None:
        """Take no more, and wait a while for what is held to become durable."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._nothing_held.wait()

    def close(self) -> None:
        """Release the disk. Call when `run` has ended."""
        self._disk.shutdown()
        self._spool.close()

    async def _gather(self) -> None:
        """Wait a little for more, in proportion to what storing costs: fewer transactions, at a bounded delay."""
        if len(self._waiting) < self._settings.max_batch:
            await asyncio.sleep(min(self._settings.max_linger_ms / 1000, _DUTY * self._storing_s))

    def _take(self) -> _Held:
        waiting = self._waiting
        held = _Held([waiting.popleft() for _ in range(min(len(waiting), self._settings.max_batch))])
        if not waiting:
            self._arrived.clear()
        self._in_flight.append(held)
        return held

    async def _settle(self, held: _Held, writer: Writer) -> None:
        """Make a batch durable, in the store or in the spool, however long it takes; then acknowledge."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            while not held.durable:
                held.durable = await self._to_store(held, writer) or await self._to_spool(held)
        finally:
            self._idle.put_nowait(writer)
        self._storing_s += (loop.time() - started - self._storing_s) / 8
        self._metrics.batch_messages.observe(len(held.messages))
        self._metrics.batch_seconds.observe(loop.time() - started)
        self._acknowledge()

    async def _to_store(self, held: _Held, writer: Writer) -> bool:
        if not self._store_up:
            return False
        try:
            async with asyncio.timeout(self._settings.spool_after_s):
                written = await writer.store(held.messages)
        except (StoreUnavailableError, TimeoutError) as error:
            self._store_is_down(error)
            return False
        self._metrics.store_up.set(1)
        self._metrics.spool_full.set(0)
        self._metrics.count(written)
        return True

    async def _to_spool(self, held: _Held) -> bool:
        records = [
            Spooled(one.origin.source, one.origin.lns, one.topic, one.size, one.body, one.arrived_at)
            for one in held.messages
        ]
        try:
            size = await asyncio.get_running_loop().run_in_executor(self._disk, self._put, records)
        except SpoolFullError as error:
            self._spool_is_full(error)
            await asyncio.sleep(_FULL_AGAIN_S)
            return False
        self._spool_said_full = False
        self._metrics.spool_full.set(0)
        self._metrics.spooled.inc(len(records))
        self._metrics.spool_bytes.set(size)
        self._spooled.set()
        return True

    def _put(self, records: Sequence[Spooled]) -> int:
        self._spool.put(records)
        return self._spool.size_bytes

    def _acknowledge(self) -> None:
        """Acknowledge, in the order of receipt, every batch up to the first that is not durable."""
        was_full = self.is_full
        while self._in_flight and self._in_flight[0].durable:
            messages = self._in_flight.popleft().messages
            self._held -= len(messages)
            self._held_bytes -= sum([len(message.body) for message in messages])
            for origin, group in groupby(messages, _origin):
                origin.acknowledge([message.token for message in group])
        if not self._held:
            self._nothing_held.set()
        if was_full and not self.is_full:
            for call in self._on_room:
                call()

    def _store_is_down(self, error: Exception) -> None:
        if self._store_up:
            log.error("store_down", detail=str(error) or type(error).__name__, action="spooling until it answers")
        self._store_up = False
        self._metrics.store_up.set(0)
        self._spooled.set()

    def _store_is_up(self) -> None:
        if not self._store_up:
            log.info("store_up", action="draining the spool")
        self._store_up = True
        self._metrics.store_up.set(1)

    def _spool_is_full(self, error: Exception) -> None:
        self._metrics.spool_full.set(1)
        if not self._spool_said_full:
            log.error("spool_full", detail=str(error), action="make room on its disk, or bring the database back")
        self._spool_said_full = True

    # --- the way back from the spool ------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Store what is in the spool, oldest first, whenever the store answers."""
        failures = 0
        while True:
            await self._spooled.wait()
            self._spooled.clear()
            try:
                is_empty = await self._drain_some()
            except (StoreUnavailableError, OSError) as error:
                self._spooled.set()
                if isinstance(error, StoreUnavailableError):
                    self._store_is_down(error)
                else:
                    log.error("spool_unreadable", detail=str(error), action="check the disk of the spool")  # noqa: TRY400
                await asyncio.sleep(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
                failures += 1
                continue
            failures = 0
            if not (is_empty and self._store_up):
                self._spooled.set()

    async def _drain_some(self) -> bool:
        """Move the oldest records to the store; return whether there are no more.

        A store that took them in time is up again. In a slower one what is live would only run out of time.
        """
        loop = asyncio.get_running_loop()
        chunk = await loop.run_in_executor(self._disk, self._oldest)
        messages = [
            Message(Origin(one.source, one.lns, _ignore), 0, one.topic, one.body, one.size, one.arrived_at)
            for one in chunk.records
        ]
        began = loop.time()
        written = await self._drainer.store(messages)
        self._metrics.count(written)
        if loop.time() - began < self._settings.spool_after_s:
            self._store_is_up()
        size, is_empty = await loop.run_in_executor(self._disk, self._forget, chunk)
        self._metrics.spool_bytes.set(size)
        if chunk.damaged_bytes:
            self._metrics.spool_damaged.inc(chunk.damaged_bytes)
            log.error("spool_damaged", bytes=chunk.damaged_bytes, action="check the disk of the spool")
        return is_empty

    def _forget(self, chunk: Chunk) -> tuple[int, bool]:
        self._spool.drained(chunk.end)
        return self._spool.size_bytes, self._spool.is_empty

    def _oldest(self) -> Chunk:
        return self._spool.read(
            max_records=self._settings.max_batch, max_bytes=self._settings.max_unacknowledged_bytes // 8
        )


def _origin(message: Message) -> Origin:
    return message.origin


def _ignore(_tokens: Sequence[int]) -> None:
    """Acknowledge nobody: what is drained was acknowledged from the spool."""
