"""From receipt to acknowledgement: gather what waits, store it, acknowledge it; spool it when the store is away.

    offer() -> waiting -> batch -> Writer.store -> acknowledge
                            └ store unavailable -> Shelf.put -> acknowledge … Drain -> Writer.store

A message is acknowledged once it is durable, and acknowledgements go out in the order of receipt (MQTT-4.6.0-2).
What is held without being acknowledged is bounded in number and in bytes: a receiver stops reading while
`is_full`, and goes on when `on_room` is called.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

import structlog

from domain.errors import StoreUnavailableError
from ingest.draining import Drain, Shelf, StoreState
from ingest.intake import IntakeClosedError
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.settings import IngestSettings
from ingest.spool import Spool, SpoolFullError
from ingest.tracing import UNTRACED, Tracing
from ingest.writer import Writer

log = structlog.get_logger()

_FULL_AGAIN_S: Final = 1.0
_DUTY: Final = 0.5  # how long to gather, as a multiple of how long storing takes, for each batch that is on its way


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
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._settings = settings
        self._tracing = tracing
        self._clock = clock
        self._metrics = metrics
        self._shelf = Shelf(spool)
        self._store = StoreState(metrics)
        self._drain = Drain(settings, shelf=self._shelf, writer=drainer, store=self._store, metrics=metrics)
        self._idle: asyncio.Queue[Writer] = asyncio.Queue()
        for writer in writers:
            self._idle.put_nowait(writer)
        self._waiting: deque[Message] = deque()
        self._in_flight: deque[_Held] = deque()
        self._arrived = asyncio.Event()
        self._nothing_held = asyncio.Event()
        self._nothing_held.set()
        self._held = 0
        self._held_bytes = 0
        metrics.held.set_function(lambda: self._held)  # asked when read: it must be right while nothing moves, too
        metrics.held_bytes.set_function(lambda: self._held_bytes)
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

    @property
    def held(self) -> int:
        """Number of messages that are received and not yet durable."""
        return self._held

    @property
    def held_bytes(self) -> int:
        """Bytes of those messages."""
        return self._held_bytes

    @property
    def spool_bytes(self) -> int:
        """Bytes in the disk spool."""
        return self._shelf.size_bytes

    def why_not_taking(self) -> str:
        """Say why nothing is acknowledged now; '' when messages are."""
        if self._stopping:
            return "stopping"
        return "the database is away and the spool is full" if self._spool_said_full and not self._store.is_up else ""

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

    async def deliver(self, source: str, lns: str, topic: str, body: bytes, parent: str = "") -> None:
        """Take one message and return once it is durable; raise IntakeClosedError when full or stopping."""
        if self.is_full:
            raise IntakeClosedError
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def acknowledge(_tokens: Sequence[int]) -> None:
            if not durable.done():
                durable.set_result(None)

        self._metrics.received.labels(source).inc()
        self.offer([Message(Origin(source, lns, acknowledge), 0, topic, body, len(body), self._clock(), parent)])
        await durable

    # --- the path -----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Move messages until cancelled; what is not durable by then is not acknowledged either."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drain.run())
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
        self._shelf.close()

    async def _gather(self) -> None:
        """Wait a little for more, in proportion to what storing costs: fewer transactions, at a bounded delay."""
        if len(self._waiting) < self._settings.max_batch:
            wanted_s = _DUTY * self._storing_s * max(1, len(self._in_flight))
            await asyncio.sleep(min(self._settings.max_linger_ms / 1000, wanted_s))

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
            with self._tracing.batch(held.messages):
                while not held.durable:
                    held.durable = await self._to_store(held, writer) or await self._to_spool(held)
        finally:
            self._idle.put_nowait(writer)
        self._storing_s += (loop.time() - started - self._storing_s) / 8
        self._metrics.batch_messages.observe(len(held.messages))
        self._metrics.batch_seconds.observe(loop.time() - started)
        self._acknowledge()

    async def _to_store(self, held: _Held, writer: Writer) -> bool:
        if not self._store.is_up:
            return False
        try:
            async with asyncio.timeout(self._settings.spool_after_s):
                written = await writer.store(held.messages)
        except (StoreUnavailableError, TimeoutError) as error:
            self._store.failed(error)
            self._shelf.filled.set()  # whoever drains finds out when it answers again
            return False
        self._metrics.store_up.set(1)
        self._metrics.spool_full.set(0)
        self._metrics.count(written)
        return True

    async def _to_spool(self, held: _Held) -> bool:
        try:
            with self._tracing.step("spool"):
                size = await self._shelf.put(held.messages)
        except SpoolFullError as error:
            self._spool_is_full(error)
            await asyncio.sleep(_FULL_AGAIN_S)
            return False
        self._spool_said_full = False
        self._metrics.spool_full.set(0)
        self._metrics.spooled.inc(len(held.messages))
        self._metrics.spool_bytes.set(size)
        return True

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

    def _spool_is_full(self, error: Exception) -> None:
        self._metrics.spool_full.set(1)
        if not self._spool_said_full:
            log.error("spool_full", detail=str(error), action="make room on its disk, or bring the database back")
        self._spool_said_full = True


def _origin(message: Message) -> Origin:
    return message.origin
