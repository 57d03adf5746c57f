"""The ingest role: receivers, one pipeline, its writers, and the copy of the fleet that they share."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from decoders.registry import Registry
from domain.errors import ConfigurationError
from ingest import lns
from ingest.codecs import Codecs
from ingest.lns import NetworkServer
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttReceiver
from ingest.neighbours import Neighbours
from ingest.pipeline import Pipeline
from ingest.settings import IngestSettings, JetStreamSource, MqttSource
from ingest.spool import Spool
from ingest.tracing import UNTRACED, Tracing
from ingest.writer import Writer
from store import known as known_names
from store.bound_codecs import BoundCodecs, load_bound_codecs
from store.changes import Changes
from store.ingest_workers import WorkerState, tell_worker
from store.known import DecoderVersion, Known
from store.pool import TRANSIENT, connect

if TYPE_CHECKING:
    from ingest.jetstream import JetStreamReceiver

log = structlog.get_logger()

_STATEMENT_S: Final = 12.0  # longer than a slow database, shorter than an operator's patience with a cut network
_FOLLOW_AGAIN_S: Final = 2.0
_ASK_FLEET_EVERY_S: Final = 10.0
_CONNECTION_ANSWERS_WITHIN_S: Final = 15.0  # longer than a slow database takes
_STOP_WITHIN_S: Final = 3.0


class Ingest:
    """One ingest process: `async with Ingest(…) as ingest: await ingest.run()`."""

    def __init__(
        self,
        settings: IngestSettings,
        *,
        dsn: str,
        folder: Path,
        worker: str,
        metrics_registry: CollectorRegistry,
        clock: Callable[[], datetime],
        randomness: random.Random,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._settings = settings
        self._tracing = tracing
        self._dsn = dsn
        self._worker = worker
        self._clock = clock
        self._known = Known()
        self._is_loaded = False
        self._registry = Registry.load()
        self._codecs = Codecs()
        self._servers = lns.load()
        self._metrics = IngestMetrics(metrics_registry)
        self._metrics.follow_codecs(lambda: self._codecs.kills, lambda: len(self._known.codecs.quarantined))
        self._given_up: list[int] = []
        self._changes = Changes()
        self._neighbours = Neighbours(settings.neighbours, time.monotonic) if settings.neighbours else None
        self._writers = [self._writer(clock) for _ in range(settings.writers + 1)]
        self.pipeline = Pipeline(
            settings,
            writers=self._writers[1:],
            drainer=self._writers[0],
            spool=Spool(folder / "spool" / worker, max_bytes=settings.spool_max_bytes),
            metrics=self._metrics,
            clock=clock,
            tracing=tracing,
        )
        for source in settings.sources:
            server_named(self._servers, source.lns, source.name)
        self._receivers: list[MqttReceiver | JetStreamReceiver] = [
            *(self._mqtt_receiver(source, clock, randomness) for source in settings.mqtt),
            *(self._jetstream_receiver(source, clock, randomness) for source in settings.jetstream),
        ]

    async def __aenter__(self) -> Self:
        """Load the fleet, so that the first message finds its device; without a store, messages are spooled."""
        try:
            connection = await connect(self._dsn, application="samara-ingest-start")
            try:
                await self._load(connection)
            finally:
                await connection.close()
        except TRANSIENT as error:
            log.warning("started_without_store", detail=_said(error), action="spooling until it answers")
        return self

    def _state(self) -> WorkerState:
        held, held_bytes, spool_bytes = self.pipeline.held, self.pipeline.held_bytes, self.pipeline.spool_bytes
        deaf = [receiver.name for receiver in self._receivers if not receiver.is_subscribed]
        return WorkerState(self._worker, self._clock(), held, held_bytes, spool_bytes, deaf)

    @property
    def is_ready(self) -> bool:
        """Say whether every network server heard over MQTT or JetStream is subscribed to."""
        return all(receiver.is_subscribed for receiver in self._receivers)

    def why_not_ready(self) -> str:
        """Say why this process takes no messages now; '' when it does, be it into the spool."""
        deaf = [receiver.name for receiver in self._receivers if not receiver.is_subscribed]
        if deaf:
            return f"not subscribed to {', '.join(deaf)}"
        return self.pipeline.why_not_taking()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release connections and the spool."""
        for writer in self._writers:
            writer.close()
        self.pipeline.close()
        await self._codecs.__aexit__()

    async def run(self) -> None:
        """Receive and store until cancelled; then read no more, and give what is held a moment to be acknowledged."""
        path = asyncio.create_task(self._path())
        receivers = [asyncio.create_task(receiver.run()) for receiver in self._receivers]
        try:
            # Not `gather`: its cancellation would cancel the path before what is held is stored.
            done, _ = await asyncio.wait((path, *receivers), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            if not path.done():
                await self.pipeline.stop(_STOP_WITHIN_S)
            for task in (*receivers, path):
                task.cancel()
            await asyncio.gather(*receivers, path, return_exceptions=True)

    async def _path(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.pipeline.run())
            tasks.create_task(self._follow_fleet())

    async def _follow_fleet(self) -> None:
        """Forget what changes, so that it is looked up again; load everything afresh whenever we begin to listen.

        Codecs and what they are bound to are few: when one changes, all are read again.
        """
        while True:
            try:
                async with AsyncExitStack() as stack:
                    connection = await connect(self._dsn, application="samara-ingest-fleet")
                    stack.push_async_callback(connection.close, timeout=1)
                    woken, changed = asyncio.Event(), asyncio.Event()
                    connection.add_termination_listener(lambda _connection, woken=woken: woken.set())
                    await connection.add_listener("samara_devices", self._device_changed)
                    await connection.add_listener("samara_codecs", _sets(woken, changed))
                    await self._load(connection)
                    while not connection.is_closed():
                        await tell_worker(connection, self._state(), _CONNECTION_ANSWERS_WITHIN_S)
                        if changed.is_set():
                            changed.clear()
                            self._follow_codecs(await load_bound_codecs(connection))
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(woken.wait(), _ASK_FLEET_EVERY_S)
                        woken.clear()
            except (*TRANSIENT, asyncpg.PostgresError) as error:
                log.info("fleet_connection_lost", detail=_said(error))
            await asyncio.sleep(_FOLLOW_AGAIN_S)

    def _device_changed(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._known.forget(str(payload))

    def _follow_codecs(self, now: BoundCodecs) -> None:
        before, self._known.codecs = self._known.codecs, now
        self._codecs.follow(before, now)

    async def _load(self, connection: asyncpg.Connection) -> None:
        before = self._known.codecs
        await load_known(connection, self._known, self._registry, [one.name for one in self._settings.sources])
        self._codecs.follow(before, self._known.codecs)
        self._is_loaded = True

    async def _open(self) -> asyncpg.Connection:
        """Return a connection for a writer; the first one loads the fleet if the store was away at our start."""
        connection = await connect(
            self._dsn, application=f"samara-ingest-{self._worker}", command_timeout_s=_STATEMENT_S
        )
        if not self._is_loaded:
            try:
                await self._load(connection)
            except BaseException:
                connection.terminate()
                raise
        return connection

    def _writer(self, clock: Callable[[], datetime]) -> Writer:
        return Writer(
            self._open,
            known=self._known,
            servers=self._servers,
            registry=self._registry,
            codecs=self._codecs,
            clock=clock,
            worker=self._worker,
            changes=self._changes,
            given_up=self._given_up,
            neighbours=self._neighbours,
            tracing=self._tracing,
        )

    def _mqtt_receiver(
        self, source: MqttSource, clock: Callable[[], datetime], randomness: random.Random
    ) -> MqttReceiver:
        topics = self._topics(source)
        if source.shared_group:  # workers share the settings; two clients of one name would drive each other out
            source = source.model_copy(update={"client_id": f"{source.client_id}-{self._worker}"})
        return MqttReceiver(
            source,
            topics,
            pipeline=self.pipeline,
            metrics=self._metrics,
            max_message_bytes=self._settings.max_message_bytes,
            max_unacknowledged=self._settings.max_unacknowledged,
            clock=clock,
            randomness=randomness,
        )

    def _jetstream_receiver(
        self, source: JetStreamSource, clock: Callable[[], datetime], randomness: random.Random
    ) -> "JetStreamReceiver":
        from ingest.jetstream import JetStreamReceiver  # noqa: PLC0415 - most hear none, and start without its parts

        return JetStreamReceiver(
            source,
            self._topics(source),
            pipeline=self.pipeline,
            metrics=self._metrics,
            max_message_bytes=self._settings.max_message_bytes,
            clock=clock,
            randomness=randomness,
        )

    def _topics(self, source: MqttSource | JetStreamSource) -> tuple[str, ...]:
        topics = source.topics or server_named(self._servers, source.lns, source.name).TOPICS
        if not topics:
            raise ConfigurationError(
                f"source {source.name}: {source.lns} is not heard over MQTT; give topics, or use HTTP"
            )
        return topics


def _sets(*events: asyncio.Event) -> Callable[[object, int, str, object], None]:
    """Return a listener that sets these events."""

    def heard(_connection: object, _pid: int, _channel: str, _payload: object) -> None:
        for event in events:
            event.set()

    return heard


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def server_named(servers: Mapping[str, NetworkServer], name: str, source: str) -> NetworkServer:
    """Return the network server's module; raise ConfigurationError naming the source when there is none."""
    if name not in servers:
        raise ConfigurationError(f"source {source}: no network server {name!r}; there are {', '.join(sorted(servers))}")
    return servers[name]


async def load_known(connection: asyncpg.Connection, known: Known, registry: Registry, sources: list[str]) -> None:
    """Fill the copy of the fleet, and write what this program can decode."""
    await known_names.load(connection, known)
    await known_names.learn_sources(connection, known, sources)
    decoders = [
        DecoderVersion(one.model.id, one.model.vendor, one.model.name, one.model.period_s, one.version)
        for one in registry.decoders.values()
    ]
    await known_names.learn_decoders(connection, known, decoders)
