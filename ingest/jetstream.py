"""One network server heard through a NATS JetStream cluster, for ever: connect, pull, acknowledge, connect again.

The network server publishes MQTT at QoS 1 to any node. nats-server answers PUBACK once its stream `$MQTT_msgs` holds
the message on a majority of the nodes; a durable pull consumer of that stream, which any number of workers share,
gives each message to one of them (docs/decisions/0015-jetstream.md). A message is acknowledged by the pipeline once
durable, and the cluster confirms that acknowledgement: one that is not confirmed is sent again. What a dead worker
held, the cluster gives to another after `ack_wait_s`.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError, ServerError, ServiceUnavailableError

from domain.errors import ConfigurationError
from ingest.jetstream_wire import Confirmations, Lane
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.pipeline import Pipeline
from ingest.settings import JetStreamSource
from ingest.subjects import PREFIX, STREAM, subject_of_filter, topic_of
from ingest.tls import tls_context
from ingest.wire import KEPT_BYTES

log = structlog.get_logger()

FAILURES: Final = (
    NatsError,
    OSError,
    TimeoutError,
)  # what a client raises

_CONNECT_TIMEOUT_S: Final = 3.0
_FIRST_BACKOFF_S: Final = 0.2
_LONGEST_BACKOFF_S: Final = 5.0  # other nodes may be well
_LANES: Final = 2  # one request is being answered while the other is on its way
_AGAIN_S: Final = 0.2
_FAREWELL_S: Final = 2.0


class JetStreamReceiver:
    """Hears one network server; `run` until cancelled."""

    def __init__(
        self,
        source: JetStreamSource,
        topics: Sequence[str],
        *,
        pipeline: Pipeline,
        metrics: IngestMetrics,
        max_message_bytes: int,
        clock: Callable[[], datetime],
        randomness: random.Random,
    ) -> None:
        self._source = source
        self._config = consumer_config(source, topics)
        self._pipeline = pipeline
        self._metrics = metrics
        self._max_message_bytes = max_message_bytes
        self._clock = clock
        self._randomness = randomness
        self._room = asyncio.Event()
        self._connection: _Connection | None = None
        pipeline.on_room(self._room.set)

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._source.name

    @property
    def is_subscribed(self) -> bool:
        """Say whether messages reach us now."""
        return self._connection is not None and self._connection.is_bound

    async def run(self) -> None:
        """Connect to one node after the other and pull until cancelled."""
        servers, backoff_s = list(self._source.servers), _FIRST_BACKOFF_S
        self._randomness.shuffle(servers)
        while True:
            connection = self._connection = _Connection(
                source=self._source,
                config=self._config,
                pipeline=self._pipeline,
                metrics=self._metrics,
                max_message_bytes=self._max_message_bytes,
                clock=self._clock,
            )
            try:
                await connection.open(servers[0])
                backoff_s = _FIRST_BACKOFF_S
                log.info("broker_connected", source=self._source.name, server=servers[0], stream=self._source.stream)
                await connection.pull(self._room)
            except NotFoundError:
                log.warning(
                    "stream_missing",
                    source=self._source.name,
                    stream=self._source.stream,
                    action="nats-server makes $MQTT_msgs when the first MQTT client connects: connect one",
                )
            except FAILURES as error:
                log.warning("broker_lost", source=self._source.name, server=servers[0], detail=_said(error))
            finally:
                self._connection = None
                await connection.close()
            servers.append(servers.pop(0))
            await asyncio.sleep(backoff_s * self._randomness.uniform(0.5, 1.0))
            backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)


class _Connection:
    """One connection to one node, from CONNECT to its loss."""

    def __init__(
        self,
        *,
        source: JetStreamSource,
        config: ConsumerConfig,
        pipeline: Pipeline,
        metrics: IngestMetrics,
        max_message_bytes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._config = config
        self._pipeline = pipeline
        self._metrics = metrics
        self._received = metrics.received.labels(source.name)
        self._connected = metrics.connected.labels(source.name)
        self._max_message_bytes = max_message_bytes
        self._clock = clock
        self._client: Client | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._origin = Origin(source.name, source.lns, self._acknowledge)
        self._replies: dict[int, str] = {}  # token -> where the acknowledgement goes
        self._tokens = 0
        self._confirmations: Confirmations | None = None
        self.is_bound = False

    async def open(self, server: str) -> None:
        """Connect, and make or find the consumer; raise NotFoundError when there is no stream, or one of FAILURES."""
        client = self._client = await connect(self._source, server, self._closed)
        if not await self._finds_consumer(client):
            await client.jetstream().add_consumer(self._source.stream, self._config)
        self._confirmations = Confirmations(client, self._metrics.unconfirmed.labels(self._source.name))
        await self._confirmations.open()
        self.is_bound = True
        self._connected.set(1)

    async def pull(self, room: asyncio.Event) -> None:
        """Pull for as long as the connection lasts; raise what ended it."""
        assert self._client is not None
        assert self._confirmations is not None
        tasks = [asyncio.ensure_future(self._lost), asyncio.create_task(self._confirmations.run())]
        tasks += [asyncio.create_task(self._lane(self._client, room)) for _ in range(_LANES)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Give what is acknowledged a moment to be confirmed, and close."""
        self.is_bound = False
        self._connected.set(0)
        if self._lost.done() and not self._lost.cancelled():
            self._lost.exception()
        client = self._client
        if client is None:
            return
        with contextlib.suppress(*FAILURES):
            async with asyncio.timeout(_FAREWELL_S):
                if self._confirmations is not None and not client.is_closed:
                    await self._confirmations.finish()
        with contextlib.suppress(*FAILURES):
            await client.close()

    async def _closed(self) -> None:
        if not self._lost.done():
            self._lost.set_exception(NatsError("the connection is closed"))

    # --- pulling --------------------------------------------------------------------------------------------

    async def _lane(self, client: Client, room: asyncio.Event) -> None:
        lane = Lane(client, f"$JS.API.CONSUMER.MSG.NEXT.{self._source.stream}.{self._config.durable_name}", self._take)
        await lane.open()
        while True:
            while self._pipeline.is_full:
                room.clear()
                await room.wait()
            ended = await lane.request()
            if ended:
                log.info("pull_interrupted", source=self._source.name, detail=ended)
                await asyncio.sleep(_AGAIN_S)
                await self._restore_consumer(client)

    async def _restore_consumer(self, client: Client) -> None:
        """Make the consumer again if somebody deleted it; while the nodes elect a leader, nobody answers."""
        with contextlib.suppress(TimeoutError, ServerError, ServiceUnavailableError):
            if not await self._finds_consumer(client):
                await client.jetstream().add_consumer(self._source.stream, self._config)

    async def _finds_consumer(self, client: Client) -> bool:
        """Say whether the consumer is there as we want it. To make it needs the cluster's leader; to ask does not."""
        assert self._config.durable_name is not None
        try:
            found = await client.jetstream().consumer_info(self._source.stream, self._config.durable_name)
        except NotFoundError:
            return False
        ours, theirs = self._config, found.config
        return (sorted(theirs.filter_subjects or [theirs.filter_subject]), theirs.ack_wait, theirs.max_ack_pending) == (
            sorted(ours.filter_subjects or []),
            ours.ack_wait,
            ours.max_ack_pending,
        )

    def _take(self, messages: Sequence[Msg]) -> None:
        arrived_at, limit, offered = self._clock(), self._max_message_bytes, []
        for one in messages:
            self._tokens = token = self._tokens + 1
            self._replies[token] = one.reply
            kept = one.data if len(one.data) <= limit else one.data[: min(limit, KEPT_BYTES)]
            offered.append(Message(self._origin, token, topic_of(one.subject), kept, len(one.data), arrived_at))
        self._received.inc(len(offered))
        self._pipeline.offer(offered)

    def _acknowledge(self, tokens: Sequence[int]) -> None:
        replies = [self._replies.pop(token) for token in tokens]
        if self._confirmations is not None:
            self._confirmations.ask(replies)


def consumer_config(source: JetStreamSource, topics: Sequence[str]) -> ConsumerConfig:
    """Return the durable consumer that the workers share; raise ConfigurationError for a topic without a subject."""
    prefix = PREFIX if source.stream == STREAM else ""
    try:
        subjects = [prefix + subject_of_filter(topic) for topic in topics]
    except ValueError as error:
        raise ConfigurationError(f"source {source.name}: {error}") from None
    return ConsumerConfig(
        durable_name=source.consumer or f"samara-{source.name}",
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=source.ack_wait_s,
        max_ack_pending=source.max_ack_pending,
        filter_subjects=subjects,
    )


async def connect(source: JetStreamSource, server: str, closed: Callable[[], Awaitable[None]] | None = None) -> Client:
    """Return a client of one node, which does not connect again by itself. Raises one of FAILURES."""
    options: dict[str, Any] = {}
    if source.username:
        options |= {"user": source.username, "password": source.password.get_secret_value()}
    if source.tls is not None:
        options["tls"] = tls_context(source.tls)
    is_connecting = True

    async def failed(error: Exception) -> None:
        if is_connecting:  # else it ends the connection, and is told then
            raise error  # the client would try again, for minutes

    client = Client()
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await client.connect(
                [server],
                name="samara-ingest",
                connect_timeout=int(_CONNECT_TIMEOUT_S),
                allow_reconnect=False,
                ping_interval=10,
                closed_cb=closed,
                error_cb=failed,
                pending_size=16 * 1024 * 1024,
                **options,
            )
    except BaseException:
        await client.close()
        raise
    is_connecting = False
    return client


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
