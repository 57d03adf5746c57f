"""One connection of a publisher: bytes in, bytes out, and what the broker says of them."""

import asyncio
from collections.abc import Callable
from typing import cast

from simulators import mqtt_packets as mqtt
from simulators.broker import BrokerRefusedError

_WRITE_HIGH_WATER = 1 << 20  # bytes the transport holds before it asks to pause: some 700 uplinks


class Wire(asyncio.Protocol):
    """An MQTT 3.1.1 connection. `on_pubacks` is given packet identifiers; `on_change` is called after anything.

    `connack` resolves when the broker accepts, raises BrokerRefusedError when it refuses. `lost` resolves when
    the connection has ended, whoever ended it.
    """

    def __init__(self, on_pubacks: Callable[[list[int]], None], on_change: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self.connack: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.writable = True
        self.heard = False
        self.pongs = 0
        self._on_pubacks = on_pubacks
        self._on_change = on_change
        self._received = mqtt.Received()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, with a bound on what it may hold unsent."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_HIGH_WATER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits that nothing more will come."""
        if not self.connack.done():
            self.connack.set_exception(exc or ConnectionResetError("closed before CONNACK"))
            self.connack.exception()  # whoever opened may have gone already: not a warning at exit
        if not self.lost.done():
            self.lost.set_result(None)
        self._on_change()

    def pause_writing(self) -> None:
        """Stop taking messages: the broker reads slower than we write."""
        self.writable = False

    def resume_writing(self) -> None:
        """Take messages again."""
        self.writable = True
        self._on_change()

    def data_received(self, data: bytes) -> None:
        """Take PUBACKs by the hundred, anything else one by one."""
        self.heard = True
        try:
            packet_ids = self._received.only_pubacks(data)
            if packet_ids is None:
                packet_ids = self._one_by_one(data)
        except ValueError:
            self.abort()
            return
        if packet_ids:
            self._on_pubacks(packet_ids)

    def _one_by_one(self, data: bytes) -> list[int]:
        packet_ids = []
        for kind, body in self._received.feed(data):
            if kind == mqtt.PUBACK and len(body) == 2:
                packet_ids.append(int.from_bytes(body, "big"))
            elif kind == mqtt.CONNACK and len(body) == 2 and not self.connack.done():
                self._answered(body[1])
            elif kind == mqtt.PINGRESP:
                self.pongs += 1
                self._on_change()
            else:
                raise ValueError(f"packet type {kind:#x} is not for a publisher")
        return packet_ids

    def _answered(self, code: int) -> None:
        if code == 0:
            self.connack.set_result(None)
        else:
            self.connack.set_exception(BrokerRefusedError(mqtt.CONNACK_REASONS.get(code, f"code {code}")))

    def write(self, data: bytes) -> None:
        """Send, unless the connection has ended: what was not acknowledged is sent again on the next one."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Say goodbye, and close once everything is written."""
        self.write(mqtt.DISCONNECT)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once: what the other end says, or no longer says, cannot be trusted."""
        if self._transport is not None:
            self._transport.abort()
