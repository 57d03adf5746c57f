"""One network server heard over MQTT, for ever: connect, subscribe, read, acknowledge, connect again.

paho-mqtt keeps the session; `Tap` takes the packets (docs/decisions/0003-mqtt.md). A message is acknowledged by
the pipeline once durable. What is not, the broker sends again at the next connection: the session is persistent.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import structlog
from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from domain.errors import SamaraError
from ingest.messages import Message, Origin
from ingest.metrics import IngestMetrics
from ingest.pipeline import Pipeline
from ingest.settings import MqttSource
from ingest.tap import CONNECT_TIMEOUT_S, Tap, TappedClient, client_of, connect_options
from ingest.tls import tls_context
from ingest.wire import PacketReader, WireError, puback

log = structlog.get_logger()

_FIRST_BACKOFF_S: Final = 0.2
_LONGEST_BACKOFF_S: Final = 30.0
_PINGREQ: Final = b"\xc0\x00"
_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time


class BrokerError(SamaraError):
    """The broker refused the connection or the subscription, or ended the session."""


class MqttReceiver:
    """Hears one network server; `run` until cancelled."""

    def __init__(
        self,
        source: MqttSource,
        topics: Sequence[str],
        *,
        pipeline: Pipeline,
        metrics: IngestMetrics,
        max_message_bytes: int,
        max_unacknowledged: int,
        clock: Callable[[], datetime],
        randomness: random.Random,
    ) -> None:
        self._clock = clock
        self._source = source
        self._topics = [f"$share/{source.shared_group}/{topic}" if source.shared_group else topic for topic in topics]
        self._pipeline = pipeline
        self._metrics = metrics
        self._max_message_bytes = max_message_bytes
        self._max_unacknowledged = max_unacknowledged
        self._randomness = randomness
        self._connection: _Connection | None = None
        pipeline.on_room(self._resume)

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._source.name

    @property
    def is_subscribed(self) -> bool:
        """Say whether messages reach us now."""
        return self._connection is not None and self._connection.is_subscribed

    async def run(self) -> None:
        """Connect and read until cancelled; each time the connection is lost, wait a little longer, with jitter."""
        loop = asyncio.get_running_loop()
        backoff_s = _FIRST_BACKOFF_S
        while True:
            began_at = loop.time()
            connection = self._connection = _Connection(
                self._source, self._topics, self._pipeline, self._metrics, self._clock
            )
            try:
                await connection.open(self._max_message_bytes, self._max_unacknowledged)
                log.info("broker_connected", source=self._source.name, topics=self._topics)
                await asyncio.shield(connection.lost)  # our own end is not the connection's: it says goodbye
            except (OSError, TimeoutError, BrokerError, WireError) as error:
                log.warning("broker_lost", source=self._source.name, detail=str(error) or type(error).__name__)
            finally:
                self._connection = None
                await connection.close()
            if loop.time() - began_at > _LONGEST_BACKOFF_S:  # else two clients of one name would fight without rest
                backoff_s = _FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s * self._randomness.uniform(0.5, 1.0))
            backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)

    def _resume(self) -> None:
        if self._connection is not None:
            self._connection.resume()


class _Connection:
    """One connection, from CONNECT to its loss. Its packet identifiers mean nothing to the next one."""

    def __init__(
        self,
        source: MqttSource,
        topics: Sequence[str],
        pipeline: Pipeline,
        metrics: IngestMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._clock = clock
        self._source = source
        self._topics = topics
        self._pipeline = pipeline
        self._received = metrics.received.labels(source.name)
        self._connected = metrics.connected.labels(source.name)
        self._loop = asyncio.get_running_loop()
        self._origin = Origin(source.name, source.lns, self._acknowledge)
        self._subscribed: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._client: TappedClient | None = None
        self._tap: Tap | None = None
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._pinged_at = self._heard_at = self._loop.time()

    @property
    def is_subscribed(self) -> bool:
        """Say whether the broker has accepted every subscription, and is there."""
        return self._subscribed.done() and not self.lost.done()

    async def open(self, max_message_bytes: int, max_unacknowledged: int) -> None:
        """Connect and subscribe; raise OSError, TimeoutError or BrokerError when that fails."""
        version_5 = self._source.protocol == "5"

        def make_tap(wire: Any) -> Tap:
            return Tap(wire, PacketReader(version_5=version_5, max_message_bytes=max_message_bytes))

        tls = self._source.tls
        client = self._client = client_of(self._source, make_tap, tls_context(tls) if tls is not None else None)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        options = connect_options(self._source, max_unacknowledged)
        await asyncio.to_thread(
            client.connect, self._source.host, self._source.port, self._source.keepalive_s, **options
        )
        assert client.tap is not None
        self._tap = client.tap
        self._loop.add_reader(self._tap.fileno(), self._readable)
        self._paho_wrote()
        self._tick()
        await self._until_subscribed()
        self._connected.set(1)

    async def _until_subscribed(self) -> None:
        """Wait as long as the broker says something, or we do not read: a backlog may come before its answer."""
        while not (self._subscribed.done() or self.lost.done()):
            await asyncio.wait(
                (self._subscribed, self.lost), timeout=CONNECT_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if not self._paused and self._loop.time() - self._heard_at > CONNECT_TIMEOUT_S:
                raise TimeoutError(f"the broker accepts connections, but does not answer for {CONNECT_TIMEOUT_S:g} s")
        if self.lost.done():
            self.lost.result()

    async def close(self) -> None:
        """Say goodbye if the broker still listens, and close."""
        if self._timer is not None:
            self._timer.cancel()
        self._connected.set(0)
        self._tap = None
        if self._client is not None and (tap := self._client.tap) is not None:
            self._loop.remove_reader(tap.fileno())
            self._loop.remove_writer(tap.fileno())
            if not self.lost.done():
                self._client.disconnect()
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(tap.farewell)
            tap.release()
        for future in (self.lost, self._subscribed):
            if future.done() and not future.cancelled():
                future.exception()

    def resume(self) -> None:
        """Read again: the pipeline has room."""
        if self._paused and self._tap is not None:
            self._paused = False
            self._heard_at = self._loop.time()
            self._loop.add_reader(self._tap.fileno(), self._readable)
            self._loop.call_soon(self._readable)  # TLS may hold decrypted bytes that no descriptor announces

    # --- reading and writing ------------------------------------------------------------------------------

    def _readable(self) -> None:
        if self._tap is None or self._paused:
            return
        self._heard_at = self._loop.time()
        try:
            self._read(self._tap)
        except (OSError, WireError) as error:
            self._lose(error)

    def _read(self, tap: Tap) -> None:
        while not self._pipeline.is_full:
            publishes = tap.receive()
            if publishes:
                origin, arrived_at = self._origin, self._clock()
                self._received.inc(len(publishes))
                self._pipeline.offer(
                    [
                        _new(Message, (origin, packet_id, topic, body, size, arrived_at, ""))
                        for packet_id, topic, body, size in publishes
                    ]
                )
            while tap.has_control and self._client is not None:
                if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    self._lose(BrokerError("the broker closed the connection"))
                    return
                self._paho_wrote()
            if not tap.has_more:
                return
        self._paused = True
        self._loop.remove_reader(tap.fileno())

    def _acknowledge(self, packet_ids: Sequence[int]) -> None:
        if self._tap is not None:
            self._tap.send(puback(packet_id for packet_id in packet_ids if packet_id))
            self._flush()

    def _flush(self) -> None:
        if self._tap is None:
            return
        try:
            if self._tap.flush():
                self._loop.add_writer(self._tap.fileno(), self._flush)
            else:
                self._loop.remove_writer(self._tap.fileno())
        except (OSError, WireError) as error:
            self._lose(error)

    def _paho_wrote(self) -> None:
        if self._client is not None and self._client.want_write():
            self._client.loop_write()
        self._flush()

    def _tick(self) -> None:
        """Keep the session alive, and notice a broker that has gone silent.

        Not paho's `loop_misc`: while we are paused, or behind a backlog, the answer to its ping is not read in time.
        """
        if self._tap is None or self._client is None or self.lost.done():
            return
        now, keepalive_s = self._loop.time(), self._client.keepalive  # the broker may have shortened it
        if now - self._pinged_at >= keepalive_s / 2:
            self._pinged_at = now
            self._tap.send(_PINGREQ)
            self._flush()
        if not self._paused and now - self._heard_at > 1.5 * keepalive_s:
            self._lose(BrokerError(f"the broker has been silent for {now - self._heard_at:.0f} s"))
        self._timer = self._loop.call_later(keepalive_s / 4, self._tick)

    def _lose(self, error: Exception) -> None:
        if not self.lost.done():
            self.lost.set_exception(error)

    # --- what paho calls ----------------------------------------------------------------------------------

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._lose(BrokerError(f"the broker refused the connection: {reason}"))
            return
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [
            f"{topic} ({reason})" for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure
        ]
        if refused:
            self._lose(BrokerError(f"the broker refused the subscription to {', '.join(refused)}"))
            return
        weak = [topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.value == 0]
        if weak:
            log.warning(
                "broker_grants_qos_0", source=self._source.name, topics=weak, action="allow QoS 1, or messages get lost"
            )
        if not self._subscribed.done():
            self._subscribed.set_result(None)

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._lose(BrokerError(f"disconnected: {reason}"))
