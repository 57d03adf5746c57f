"""Publishes to an MQTT 3.1.1 broker faster than what is measured can take it.

Many PUBLISH leave in one write, PUBACKs are counted by the hundred, and what was not acknowledged is sent again
with DUP on the next connection, in order. A bounded window and the transport's back-pressure bound memory.
"""

import asyncio
from collections.abc import Callable, Iterable
from itertools import count, islice
from random import Random
from types import TracebackType
from typing import Final, Self, TypeVar

from simulators import mqtt_packets as mqtt
from simulators.broker import BrokerAddress, BrokerRefusedError, BrokerUnreachableError, PublishRefusedError
from simulators.mqtt_wire import Wire

T = TypeVar("T")

_BATCH: Final = 256  # messages in one write: larger gains nothing, smaller costs system calls
_ANSWER_TIMEOUT_S: Final = 10.0
_FRUITLESS_CONNECTIONS: Final = 5  # connections that ended without one PUBACK, in a row, before we give up


def backoff_s(attempt: int, jitter: float) -> float:
    """Return how long to wait before reconnection `attempt` (1, 2, …): doubling to 5 s, `jitter` in [0, 1)."""
    return float(min(5.0, 0.1 * 2 ** min(attempt - 1, 10)) * (0.5 + jitter / 2))


class Publisher:
    """An asynchronous context manager: connects on entry, waits for every acknowledgement on a clean exit.

    The first connection must succeed (BrokerUnreachableError, BrokerRefusedError); later ones are tried for
    ever, with jittered backoff. `window` bounds the unacknowledged messages of QoS 1.
    """

    def __init__(
        self,
        address: BrokerAddress,
        *,
        client_id: str,
        qos: int = 1,
        window: int = 1000,
        clean_session: bool = True,
        keepalive_s: int = 30,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        if qos not in {0, 1} or not 1 <= window < mqtt.MAX_PACKET_ID:
            raise ValueError(f"QoS is 0 or 1, the window 1 to {mqtt.MAX_PACKET_ID - 1}")
        self.published = 0
        self.acknowledged = 0
        self.sent_again = 0
        self.connections = 0
        self._address = address
        self._client_id = client_id
        self._qos = qos
        self._window = window
        self._low_water = window * 3 // 4
        self._clean_session = clean_session
        self._keepalive_s = keepalive_s
        self._jitter = jitter or Random(client_id).random  # noqa: S311 - spreads reconnections, guards nothing
        self._in_flight: dict[int, bytes] = {}
        self._packet_id = 0
        self._wire: Wire | None = None
        self._wake = asyncio.Event()
        self._failure: BaseException | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """How many messages wait for their acknowledgement."""
        return len(self._in_flight)

    async def __aenter__(self) -> Self:
        wire = await self._open()
        self._keeper = asyncio.create_task(self._keep(wire), name=f"mqtt-publisher {self._client_id}")
        self._keeper.add_done_callback(self._kept)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.drained()
        finally:
            await self._close()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send one message, waiting for room in the window; it is acknowledged later (`drained`)."""
        await self.publish_many(((topic, payload),))

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> int:
        """Send all, waiting for room in the window; return how many. Raises PublishRefusedError."""
        source, sent = iter(messages), 0
        while True:
            room = await self._room()
            chunk = list(islice(source, min(room, _BATCH)))
            if not chunk:
                return sent
            self._send(chunk)
            sent += len(chunk)

    async def drained(self) -> None:
        """Return when the broker has acknowledged (QoS 1), or read (QoS 0), everything published so far."""
        await self._until(lambda: not self._in_flight)
        if self._qos == 0:
            wire = await self._until(self._ready)
            pongs = wire.pongs
            wire.write(mqtt.PINGREQ)
            await self._until(lambda: wire.pongs > pongs or wire.lost.done())

    def _send(self, chunk: list[tuple[str, bytes]]) -> None:
        packets = []
        for topic, payload in chunk:
            packet_id = self._next_packet_id() if self._qos else 0
            packet = mqtt.publish(topic.encode(), payload, packet_id)
            if packet_id:
                self._in_flight[packet_id] = packet
            packets.append(packet)
        self.published += len(packets)
        if self._wire is not None:
            self._wire.write(b"".join(packets))

    def _next_packet_id(self) -> int:
        packet_id = self._packet_id % mqtt.MAX_PACKET_ID + 1
        while packet_id in self._in_flight:
            packet_id = packet_id % mqtt.MAX_PACKET_ID + 1
        self._packet_id = packet_id
        return packet_id

    def _acknowledge(self, packet_ids: list[int]) -> None:
        before = len(self._in_flight)
        for packet_id in packet_ids:
            self._in_flight.pop(packet_id, None)
        left = len(self._in_flight)
        self.acknowledged += before - left
        if left <= self._low_water:  # not at each one: whoever waits then writes a full batch
            self._wake.set()

    def _ready(self) -> Wire | None:
        wire = self._wire
        return wire if wire is not None and wire.writable and not wire.lost.done() else None

    async def _room(self) -> int:
        """Wait until a fair part of the window is free, and return how much is."""

        def room() -> int:
            waiting = len(self._in_flight)
            return self._window - waiting if waiting <= self._low_water and self._ready() else 0

        return await self._until(room)

    async def _until(self, condition: Callable[[], T | None]) -> T:
        """Return the first true value of `condition`; raise what made publishing impossible."""
        while not (value := condition()):
            if self._failure is not None:
                raise self._failure
            self._wake.clear()
            await self._wake.wait()
        return value

    async def _open(self) -> Wire:
        """Connect, be accepted, and send again what was not acknowledged."""
        address, wire = self._address, Wire(self._acknowledge, self._wake.set)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                await loop.create_connection(lambda: wire, address.host, address.port, ssl=address.ssl_context())
                wire.write(self._connect_packet())
                await wire.connack
        except OSError as error:  # a timeout is one
            wire.abort()
            raise BrokerUnreachableError(f"{address.host}:{address.port}: {error or 'no answer'}") from error
        except BrokerRefusedError:
            wire.abort()
            raise
        self.connections += 1
        self.sent_again += len(self._in_flight)
        wire.write(b"".join(map(mqtt.duplicate, self._in_flight.values())))
        self._wire = wire
        self._wake.set()
        return wire

    def _connect_packet(self) -> bytes:
        return mqtt.connect(
            client_id=self._client_id,
            keepalive_s=self._keepalive_s,
            clean_session=self._clean_session,
            username=self._address.username,
            password=self._address.password,
        )

    async def _keep(self, wire: Wire) -> None:
        """Hold a connection for ever; raise PublishRefusedError when connections bring nothing."""
        fruitless = 0
        while True:
            before = self.acknowledged
            await self._watch(wire)
            fruitless = fruitless + 1 if self._in_flight and self.acknowledged == before else 0
            if fruitless >= _FRUITLESS_CONNECTIONS:
                oldest = next(iter(self._in_flight.values()))
                raise PublishRefusedError(f"{fruitless} connections ended unanswered; {len(oldest)} bytes wait first")
            wire = await self._reopen()

    async def _watch(self, wire: Wire) -> None:
        """Return when the connection has ended; end it when the broker no longer answers a ping."""
        while not wire.lost.done():
            wire.heard = False
            wire.write(mqtt.PINGREQ)
            await asyncio.wait((wire.lost,), timeout=self._keepalive_s)
            if not wire.heard:
                wire.abort()

    async def _reopen(self) -> Wire:
        for attempt in count(1):
            await asyncio.sleep(backoff_s(attempt, self._jitter()))
            try:
                return await self._open()
            except (BrokerUnreachableError, BrokerRefusedError):
                continue  # it may be starting: a broker refuses clients before it knows them
        raise AssertionError("unreachable: attempts have no end")

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            self._failure = error
            self._wake.set()

    async def _close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait((self._keeper,))
        if self._wire is not None and not self._wire.lost.done():
            self._wire.close()
            await asyncio.wait((self._wire.lost,), timeout=_ANSWER_TIMEOUT_S)
            self._wire.abort()
