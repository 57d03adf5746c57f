"""MQTT packets off the wire, many at a time: PUBLISH by our own reader, everything else left for paho-mqtt.

paho reads one byte, then another, and calls back for each packet; at 20,000 uplinks a second that is most of
the process (docs/benchmarks.md). This reader takes what one recv() brought and cuts every whole PUBLISH out
of it. MQTT 3.1.1 and 5 differ here in one thing: 5 has properties before the payload.

Source: OASIS MQTT 3.1.1 sections 2.2, 3.3 and 3.4; MQTT 5.0 sections 2.1, 2.2.2, 3.3 and 3.4.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time
_PUBLISH: Final = 0x30
_MAX_TOPIC: Final = 65_535
KEPT_BYTES: Final = 4096  # of a message over the limit: enough to see what it was


class WireError(Exception):
    """The broker sent something that is not MQTT; the connection is of no more use."""


class Publish(NamedTuple):
    """One PUBLISH. `packet_id` is 0 for QoS 0. `size` is the payload's true size: more than len(payload) when it
    was over the limit and only its beginning was kept.
    """  # noqa: D205

    packet_id: int
    topic: str
    payload: bytes
    size: int


def puback(packet_ids: Iterable[int]) -> bytes:
    """Return the PUBACK packets, in this order; the same bytes in MQTT 3.1.1 and 5 (reason: success)."""
    return b"".join([b"\x40\x02" + packet_id.to_bytes(2, "big") for packet_id in packet_ids])


class PacketReader:
    """Cuts packets out of what a socket brings.

    Receive into `room()`, then call `received(count)`: it returns the whole PUBLISH packets, and leaves the
    bytes of every other packet in `control`. Memory is bounded: a packet larger than `max_message_bytes` is
    skipped as it comes, and reported with its first bytes.
    """

    def __init__(self, *, version_5: bool, max_message_bytes: int, buffer_bytes: int = 256 * 1024) -> None:
        self.control = bytearray()
        self._version_5 = version_5
        self._max_packet = max_message_bytes + _MAX_TOPIC + 64
        self._max_message = max_message_bytes
        self._kept = min(max_message_bytes, KEPT_BYTES)
        self._buffer = bytearray(max(buffer_bytes, 2 * (_MAX_TOPIC + KEPT_BYTES + 64)))
        self._most = max(len(self._buffer), self._max_packet + 16)  # any packet taken whole, and room for more
        self._filled = 0
        self._skip = 0  # bytes still to come of a packet that is too large

    def room(self) -> memoryview:
        """Return where to receive into; never empty."""
        return memoryview(self._buffer)[self._filled :]

    def received(self, count: int) -> list[Publish]:
        """Take note of `count` more bytes in the room; raise WireError when they cannot be MQTT."""
        self._filled += count
        start = 0
        if self._skip:
            start = min(self._skip, self._filled)
            self._skip -= start
        publishes: list[Publish] = []
        start = self._cut(start, publishes)
        self._keep_rest(start)
        return publishes

    def _cut(self, start: int, publishes: list[Publish]) -> int:
        """Append every whole PUBLISH from `start` on; return where the first packet that is not whole begins."""
        buffer, filled = self._buffer, self._filled
        while filled - start >= 2:
            first = buffer[start]
            length = buffer[start + 1]
            body = start + 2
            if length & 0x80:
                length, body = _remaining_length(buffer, start + 1, filled)
                if body == 0:
                    break
            end = body + length
            if first & 0xF0 == _PUBLISH:
                if end > filled:
                    if length <= self._max_packet or filled - body < min(length, _MAX_TOPIC + KEPT_BYTES):
                        break
                    publishes.append(self._publish(first, body, filled, end))
                    self._skip = end - filled
                    return filled
                publishes.append(self._publish(first, body, end, end))
            else:
                if end > filled:
                    if length > self._max_packet:
                        raise WireError(f"a control packet of {length} bytes")
                    break
                self.control += buffer[start:end]
            start = end
        return start

    def _publish(self, first: int, body: int, available: int, end: int) -> Publish:
        """Return the PUBLISH whose body runs from `body` to `end`, of which bytes before `available` are here."""
        buffer = self._buffer
        topic_end = body + 2 + (buffer[body] << 8 | buffer[body + 1]) if available - body >= 2 else end + 1
        position = topic_end
        packet_id = 0
        qos = first & 0x06
        if qos == 0x06 or qos == 0x04:  # noqa: PLR1714 - two compares are half the time of a tuple
            raise WireError("a PUBLISH of QoS 2 or 3: the subscription asked for at most 1")
        if qos:
            packet_id = buffer[position] << 8 | buffer[position + 1] if position + 2 <= available else 0
            position += 2
            if packet_id == 0:
                raise WireError("a PUBLISH of QoS 1 without a packet identifier")
        if self._version_5:
            properties, position = _remaining_length(buffer, position, available)
            if position == 0:
                raise WireError("a PUBLISH whose properties do not end")
            position += properties
        if position > end or topic_end > available:
            raise WireError("a PUBLISH shorter than its header says")
        topic = buffer[body + 2 : topic_end].decode("utf-8", "replace")
        size = end - position
        kept = size if size <= self._max_message else self._kept
        return _new(Publish, (packet_id, topic, bytes(buffer[position : min(position + kept, available)]), size))

    def _keep_rest(self, start: int) -> None:
        """Move what is not whole to the front, and make room for the packet that it begins."""
        rest = self._filled - start
        if start and rest:
            self._buffer[:rest] = self._buffer[start : self._filled]
        self._filled = rest
        if rest * 2 > len(self._buffer) < self._most:
            grown = min(len(self._buffer) * 2, self._most)
            self._buffer = self._buffer[:rest] + bytearray(grown - rest)


def _remaining_length(buffer: bytearray, position: int, filled: int) -> tuple[int, int]:
    """Return a variable byte integer and where it ends; (0, 0) when it is not all here yet."""
    value = 0
    for shift in (0, 7, 14, 21):
        if position >= filled:
            return 0, 0
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise WireError("a length of more than four bytes")
