"""A load that costs next to nothing to send, so that what is measured has the cores: one connection, QoS 1.

The packets of a fleet are made once, by the same encoder as every load's, one after the other in one block of memory;
for each further uplink its moment, counters, frame and identifiers are written over the last one's, which has long been
acknowledged (the window is at most half of the fleet). Who hears a device, and how well, stays as it was.
"""

import socket
import time
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np

from simulators import mqtt_packets as mqtt
from simulators.load.formats import Sent, encoder
from simulators.load.formats.air import GPS_OFFSET_S
from simulators.load.frames import TABLE, kind, rows_a_period
from simulators.load.ledger import deduplication_text
from simulators.load.spec import LoadSpec
from simulators.load.territory import first_dev_addr, start_ms

Array = np.ndarray[Any, Any]

FIRST_F_CNT: Final = 1000  # so that all have four digits
_CHUNK: Final = 256
_TICK_S: Final = 0.001  # what became due since the last is sent at once
_MAX_LATE_S: Final = 0.1
_MARKS: Final = {
    "time": (b'"time":"', b'"nsTime":"'),
    "gps": (b'"timeSinceGpsEpoch":"',),
    "f_cnt": (b'"fCnt":',),
    "data": (b'"data":"',),
}


class Sending(NamedTuple):
    """How it went. `late_p99_ms` is None without a pace; `valid` is False when the pace was not kept."""

    start_at: datetime
    uplinks: int
    seconds: float
    late_p99_ms: float | None
    valid: bool


class Fleet:
    """The packets of a load of one model in ChirpStack's JSON."""

    def __init__(self, spec: LoadSpec) -> None:
        self._spec = spec
        one, encode = kind(spec.models[0], spec.seed, spec.start_at), encoder(spec)
        frames = [b2a_base64(payload, newline=False) for payload in one.payloads]
        self._frames = _matrix(frames)
        packets = []
        for device in range(spec.devices):
            sent = Sent(device, 0, 0, first_dev_addr(device), FIRST_F_CNT, start_ms(spec), one.payloads[0])
            topic, message = encode.uplink(sent, one)
            packets.append(mqtt.publish(topic.encode(), message, 1))
        self.starts = np.cumsum([0, *map(len, packets)])
        self._bytes = np.frombuffer(bytearray(b"".join(packets)), dtype=np.uint8)
        self.packets = memoryview(self._bytes)
        self._places = {
            name: np.array([_places(packet, marks) for packet in packets]) + self.starts[:-1, None]
            for name, marks in _MARKS.items()
        }
        identifier = len(deduplication_text(spec.seed, 0, 0, 0)) - 12
        self._places["number"] = np.array(
            [[packet.index(b'"deduplicationId":"') + 19 + identifier] for packet in packets]
        )
        self._places["number"] += self.starts[:-1, None]
        self._places["packet"] = np.array([[5 + int.from_bytes(packet[3:5], "big")] for packet in packets])
        self._places["packet"] += self.starts[:-1, None]

    def make(self, begin_ms: int, number: int, first: int, last: int, sent: int) -> None:
        """Write uplink `number` of the devices from `first` to before `last`; `sent` uplinks were made before.

        `begin_ms` is the time of the first of all, in milliseconds since 1970.
        """
        spec, devices = self._spec, np.arange(first, last)
        times_s = number * spec.period_s + devices * (spec.period_s / spec.devices)
        now_ms = begin_ms + (times_s * 1000).astype(np.int64)
        rows = (devices * 97 + int(number * rows_a_period(spec.period_s))) % TABLE
        moments = np.datetime_as_string(now_ms.astype("datetime64[ms]")).astype("S23").view(np.uint8).reshape(-1, 23)
        gps = _digits(now_ms - GPS_OFFSET_S * 1000, 13)
        identifiers = (sent + np.arange(last - first)) % mqtt.MAX_PACKET_ID + 1
        self._write("time", devices, moments)
        self._write("gps", devices, np.insert(gps, 10, ord("."), axis=1))
        self._write("f_cnt", devices, _digits(np.full(len(devices), FIRST_F_CNT + number), 4))
        self._write("data", devices, self._frames[rows])
        self._write("number", devices, np.tile(np.frombuffer(b"%012x" % number, dtype=np.uint8), (len(devices), 1)))
        self._write("packet", devices, np.stack((identifiers >> 8, identifiers & 0xFF), axis=1))

    def _write(self, name: str, devices: Array, values: Array) -> None:
        for column in self._places[name][devices].T:
            self._bytes[column[:, None] + np.arange(values.shape[1])] = values


def _matrix(texts: Sequence[bytes]) -> Array:
    (size,) = {len(text) for text in texts}
    return np.frombuffer(b"".join(texts), dtype=np.uint8).reshape(-1, size)


def _places(packet: bytes, marks: Sequence[bytes]) -> list[int]:
    return [at for mark in marks for at in _ends(packet, mark)]


def _ends(packet: bytes, mark: bytes) -> Iterator[int]:
    at = packet.find(mark)
    while at >= 0:
        yield at + len(mark)
        at = packet.find(mark, at + 1)


def _digits(values: Array, width: int) -> Array:
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (values[:, None] // powers % 10 + ord("0")).astype(np.uint8)


class _Connection:
    """An MQTT 3.1.1 client that publishes; what the broker says to it after CONNACK is PUBACKs alone, of four bytes."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port))
        self._into = bytearray(64 * 1024)
        self._heard = 0
        self.write(
            mqtt.connect(client_id="bench-generator", keepalive_s=0, clean_session=True, username="", password="")
        )
        self.until(0)

    @property
    def acknowledged(self) -> int:
        """How many are known to be."""
        return self._heard // 4 - 1

    def write(self, data: bytes | memoryview) -> None:
        """Send all."""
        self._socket.sendall(data)

    def look(self, flags: int = socket.MSG_DONTWAIT) -> None:
        """Take what the broker has acknowledged; raise ConnectionError when it has closed."""
        try:
            count = self._socket.recv_into(self._into, flags=flags)
        except BlockingIOError:
            return
        if not count:
            raise ConnectionResetError("the broker closed")
        self._heard += count

    def until(self, acknowledged: int) -> None:
        """Return once so many are."""
        while self.acknowledged < acknowledged:
            self.look(flags=0)

    def close(self) -> None:
        """Say goodbye."""
        self.write(mqtt.DISCONNECT)
        self._socket.close()


class Stream:
    """A fleet's load; `run` sends the whole of it and returns when all is acknowledged.

    It blocks, and looks for acknowledgements once a millisecond: to be woken for each would cost more than to send.
    """

    def __init__(self, spec: LoadSpec, window: int = 4000) -> None:
        self._spec = spec
        self._fleet = Fleet(spec)
        self._window = min(window, max(1, spec.devices // 2))
        self._late: list[tuple[float, int]] = []

    def run(self, host: str, port: int) -> Sending:
        """Connect, send, and close. With a pace, the time of a message is when it is due."""
        connection = _Connection(host, port)
        every_s = self._spec.period_s / self._spec.devices * self._spec.pace
        start_at = datetime.now(UTC) if every_s else self._spec.start_at
        began, begin_ms = time.monotonic(), int(start_at.timestamp() * 1000)
        sent = 0
        for number, first, last in self._chunks():
            self._fleet.make(begin_ms, number, first, last, sent)
            end = sent + last - first
            while sent < end:
                connection.look()
                connection.until(sent + 1 - self._window)
                until = min(end, connection.acknowledged + self._window)
                if every_s:
                    late_s = time.monotonic() - began - sent * every_s
                    if late_s < 0:
                        time.sleep(max(_TICK_S, -late_s))
                        continue
                    until = min(until, sent + 1 + int(late_s / every_s))
                    self._late.append((late_s, until - sent))
                at, past = self._fleet.starts[last - end + sent], self._fleet.starts[last - end + until]
                connection.write(self._fleet.packets[at:past])
                sent = until
        connection.until(sent)
        seconds = time.monotonic() - began
        connection.close()
        late_s = self._late_p99_s()
        return Sending(start_at, sent, seconds, late_s * 1000 if self._late else None, valid=late_s <= _MAX_LATE_S)

    def _chunks(self) -> Iterator[tuple[int, int, int]]:
        for number in range(self._spec.uplinks_per_device):
            for first in range(0, self._spec.devices, _CHUNK):
                yield number, first, min(first + _CHUNK, self._spec.devices)

    def _late_p99_s(self) -> float:
        """Return how late 99 % of the messages were at most: of what leaves at once, the first was due longest ago."""
        left = 0.01 * sum(count for _, count in self._late)
        for late_s, count in sorted(self._late, reverse=True):
            left -= count
            if left < 0:
                return late_s
        return 0.0
