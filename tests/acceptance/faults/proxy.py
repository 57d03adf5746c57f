"""A TCP proxy that misbehaves on order: refuses, resets, goes silent without closing, holds back, and sees what passes.

    async with Proxy(port, splitter=postgres_messages) as proxy:
        proxy.watch = lambda passing: Verdict.RESET if passing.is_commit else Verdict.PASS

Whole messages are cut out of both directions, shown to `watch`, and passed on, dropped with the connection, or
kept for ever while both ends still believe in each other. It runs on the test's own event loop.
"""

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from enum import Enum, auto
from types import TracebackType
from typing import Final, NamedTuple, Self

_CHUNK: Final = 1 << 18
_STARTUP: Final = b""


class Verdict(Enum):
    """What becomes of a message."""

    PASS = auto()
    RESET = auto()  # it is dropped, and both ends see the connection reset
    PASS_THEN_RESET = auto()
    FREEZE = auto()  # it is dropped, and nothing passes any more: neither end is told


class Passing(NamedTuple):
    """One message on its way. `kind` is its type byte as the protocol has it; `upwards` means to the server."""

    link: int
    upwards: bool
    kind: bytes
    body: bytes

    @property
    def is_commit(self) -> bool:
        """A client of PostgreSQL asks for a COMMIT."""
        return self.upwards and self.kind == b"Q" and self.body.startswith(b"COMMIT")

    @property
    def is_committed(self) -> bool:
        """PostgreSQL says that it committed."""
        return not self.upwards and self.kind == b"C" and self.body == b"COMMIT\0"

    @property
    def is_statement(self) -> bool:
        """A client of PostgreSQL asks for something to be run."""
        return self.upwards and self.kind in {b"Q", b"E"}

    @property
    def is_puback(self) -> bool:
        """An MQTT client acknowledges a message."""
        return self.upwards and self.kind == b"\x40"


class Message(NamedTuple):
    """One message cut out of a stream."""

    kind: bytes
    body: bytes
    raw: bytes


Splitter = Callable[[bytearray, bool, bool], Iterator[Message]]
Watch = Callable[[Passing], Verdict | Awaitable[Verdict]]


def postgres_messages(stream: bytearray, upwards: bool, first: bool) -> Iterator[Message]:  # noqa: FBT001
    """Take whole messages of PostgreSQL's protocol 3 off the stream; the very first, the startup, has no type."""
    if first and upwards:
        if len(stream) < 4 or len(stream) < int.from_bytes(stream[:4], "big"):
            return
        yield _taken(stream, _STARTUP, 4, int.from_bytes(stream[:4], "big"))
    while len(stream) >= 5:
        end = 1 + int.from_bytes(stream[1:5], "big")
        if len(stream) < end:
            return
        yield _taken(stream, bytes(stream[:1]), 5, end)


def mqtt_messages(stream: bytearray, _upwards: bool, _first: bool) -> Iterator[Message]:  # noqa: FBT001
    """Take whole MQTT packets off the stream; `kind` is the packet type without its flags."""
    while True:
        length, shift, place = 0, 0, 1
        while place < len(stream):
            length |= (stream[place] & 0x7F) << shift
            shift += 7
            place += 1
            if stream[place - 1] < 0x80:
                break
        else:
            return
        if len(stream) < place + length:
            return
        yield _taken(stream, bytes([stream[0] & 0xF0]), place, place + length)


def any_bytes(stream: bytearray, _upwards: bool, _first: bool) -> Iterator[Message]:  # noqa: FBT001
    """Take whatever there is."""
    if stream:
        yield _taken(stream, b"", 0, len(stream))


def _taken(stream: bytearray, kind: bytes, start: int, end: int) -> Message:
    raw = bytes(stream[:end])
    del stream[:end]
    return Message(kind, raw[start:], raw)


class _Link:
    """One connection through the proxy."""

    def __init__(self, number: int, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.number = number
        self.ends = (client, server)
        self.frozen = False

    def reset(self) -> None:
        for end in self.ends:
            end.transport.abort()


class Proxy:
    """Listens at `port`, and speaks to the server at `server_port` of this machine, which may change."""

    host: Final = "127.0.0.1"

    def __init__(self, server_port: int, splitter: Splitter = any_bytes) -> None:
        self.server_port = server_port
        self.port = 0
        self.refusing = False
        self.silent = False  # nothing passes, on old connections and on new ones
        self.watch: Watch | None = None
        self.accepted = 0
        self._splitter = splitter
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def open_links(self) -> int:
        """How many connections pass through now."""
        return len(self._links)

    def reset(self) -> None:
        """Reset every connection."""
        for link in [*self._links]:
            link.reset()

    def freeze(self) -> None:
        """Let nothing pass on the connections of now, for ever; new ones are not concerned."""
        for link in self._links:
            link.frozen = True

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._accept(reader, writer))  # ours, to be cancelled without asyncio's complaint
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection(self.host, self.server_port)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self.accepted, writer, server_writer)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._pass(link, reader, server_writer, upwards=True),
                self._pass(link, server_reader, writer, upwards=False),
            )
        finally:
            self._links.discard(link)
            link.reset()

    async def _pass(
        self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, upwards: bool
    ) -> None:
        stream, first = bytearray(), True
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if link.frozen or self.silent:
                    link.frozen = True
                    continue
                stream += data
                for message in self._splitter(stream, upwards, first):
                    first = False
                    await self._one(link, message, writer, upwards=upwards)
                await writer.drain()
        if not link.frozen:  # a frozen link tells neither end that the other has gone
            link.reset()

    async def _one(self, link: _Link, message: Message, writer: asyncio.StreamWriter, *, upwards: bool) -> None:
        verdict = Verdict.PASS
        if self.watch is not None:
            said = self.watch(Passing(link.number, upwards, message.kind, message.body))
            verdict = await said if inspect.isawaitable(said) else said
        if link.frozen or verdict is Verdict.FREEZE:
            link.frozen = True
            return
        if verdict is not Verdict.RESET and not writer.is_closing():
            writer.write(message.raw)
        if verdict is Verdict.PASS_THEN_RESET:
            await writer.drain()
        if verdict is not Verdict.PASS:
            link.reset()
