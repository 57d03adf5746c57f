"""A pipeline between writers that do as they are told and a real spool."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry

from domain.errors import StoreUnavailableError
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.pipeline import Pipeline
from ingest.settings import IngestSettings
from ingest.spool import Spool
from ingest.writer import Writer
from store.writing import Written

ARRIVED = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


class FakeWriter:
    """Stores when `gate` is open; fails while `failure` is set; keeps what it was asked and what it stored."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.stored: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def store(self, messages: Sequence[Message]) -> Written:
        bodies = [message.body for message in messages]
        self.asked.append(bodies)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.stored += bodies
        return Written(len(bodies), 0, 0, 0)


class Rig:
    """A pipeline and all that it touches."""

    def __init__(self, folder: Path, *, writers: int = 1, spool_max_bytes: int = 1 << 20, **settings: Any) -> None:
        self.registry = CollectorRegistry()
        self.writers = [FakeWriter() for _ in range(writers)]
        self.drainer = FakeWriter()
        self.spool = Spool(folder / "spool", max_bytes=spool_max_bytes)
        self.acknowledged: list[int] = []
        self.rooms = 0
        self.pipeline = Pipeline(
            IngestSettings(**({"max_linger_ms": 1, "max_batch": 10} | settings)),
            writers=cast("list[Writer]", self.writers),
            drainer=cast("Writer", self.drainer),
            spool=self.spool,
            metrics=IngestMetrics(self.registry),
            clock=lambda: ARRIVED,
        )
        self.pipeline.on_room(self._room)
        self.origin = Origin("source", "fake", self.acknowledged.extend)

    def _room(self) -> None:
        self.rooms += 1

    def offer(self, *tokens: int) -> None:
        self.pipeline.offer([self.message(token) for token in tokens])

    def message(self, token: int) -> Message:
        body = str(token).encode()
        return Message(self.origin, token, "t", body, len(body), ARRIVED)

    def fail(self, failure: Exception | None) -> None:
        for writer in (*self.writers, self.drainer):
            writer.failure = failure

    def metric(self, name: str) -> float:
        value = self.registry.get_sample_value(f"samara_{name}")
        assert value is not None, name
        return value


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    task = asyncio.create_task(rig.pipeline.run())
    try:
        yield rig
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        rig.pipeline.close()


@asynccontextmanager
async def pipeline(folder: Path, **options: Any) -> AsyncIterator[Rig]:
    async with running(Rig(folder, **options)) as rig:
        yield rig


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - turns of the loop, not time
            await asyncio.sleep(0)


async def turns(count: int = 50) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def bodies(*tokens: int) -> list[bytes]:
    return [str(token).encode() for token in tokens]


def down() -> StoreUnavailableError:
    return StoreUnavailableError("no answer")
