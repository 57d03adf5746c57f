"""Repair the gaps of one source: find them, ask for them, store what comes, and tell what stays lost."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
import structlog

from decoders.registry import Registry
from domain.errors import MessageError
from domain.events import Uplink
from ingest import lns
from ingest.codecs import Codecs
from ingest.lns import NetworkServer
from ingest.messages import Message, Origin
from ingest.repair.archive import Archive, Archived, ArchiveUnavailableError
from ingest.repair.windows import Inside, windows_of
from ingest.runner import load_known, server_named
from ingest.writer import Writer
from store.batch import uplink_key
from store.gaps import DeviceGaps, Key, gaps, stored
from store.known import Known
from store.pool import connect

log = structlog.get_logger()

_WORKER: Final = "repair"
_STATEMENT_S: Final = 600.0  # a year of some hundred devices is read in one
_GAPS_AT_ONCE: Final = 50_000  # held in memory, and asked about together
_MESSAGES_AT_ONCE: Final = 200


class Source(NamedTuple):
    """The network server whose gaps are repaired: its name in the settings, and its module in `ingest.lns`."""

    name: str
    lns: str


class Span(NamedTuple):
    """Which gaps: those found in this time, of one device or of all."""

    since: datetime
    until: datetime
    dev_eui: str | None = None


@dataclass(slots=True)
class DeviceReport:
    """What one device misses. `found` frames are in the history; `left` are lost still, None when nothing was stored.

    The history may give more than was missed, by the counters: frames of a session that went by unheard.
    """

    dev_eui: str
    gaps: int
    lost: int
    after: datetime
    before: datetime
    found: int = 0
    left: int | None = None


@dataclass(slots=True)
class Report:
    """What became of a repair. `stopped` says why it ended early; what was stored by then stays."""

    source: str
    devices: dict[str, DeviceReport] = field(default_factory=dict)
    stored: int = 0
    unreadable: int = 0
    stopped: str = ""

    @property
    def lost(self) -> int:
        """Frames that the counters miss."""
        return sum(one.lost for one in self.devices.values())

    @property
    def found(self) -> int:
        """Frames that the history has and the store has not."""
        return sum(one.found for one in self.devices.values())

    @property
    def left(self) -> int:
        """Frames that are lost still, after what was stored."""
        return sum(one.lost if one.left is None else one.left for one in self.devices.values())


class _Asked(NamedTuple):
    """What is asked of the history together: the numbers of the devices by DevEUI, and which uplinks were counted."""

    numbers: Mapping[str, int]
    inside: Inside
    counted: set[Key]


class Repair:
    """The repair of one source, over two connections: one that reads, and the writer's own."""

    def __init__(
        self, dsn: str, source: Source, archive: Archive, *, clock: Callable[[], datetime], apply: bool
    ) -> None:
        self._dsn = dsn
        self._source = source
        self._archive = archive
        self._clock = clock
        self._apply = apply
        self._known = Known()
        self._registry = Registry.load()
        self._codecs = Codecs()
        self._servers: Mapping[str, NetworkServer] = lns.load()
        self._server = server_named(self._servers, source.lns, source.name)
        self._origin = Origin(source.name, source.lns, _nobody)
        self._report = Report(source.name)

    async def run(self, span: Span) -> Report:
        """Return what was found, and with `apply` stored.

        Raises ConfigurationError when the history refuses us, StoreUnavailableError or what asyncpg raises when the
        database does not answer. Running again goes on where it ended.
        """
        connection = await self._connect()
        writer = Writer(
            self._connect,
            known=self._known,
            servers=self._servers,
            registry=self._registry,
            codecs=self._codecs,
            clock=self._clock,
            worker=_WORKER,
        )
        try:
            await load_known(connection, self._known, self._registry, [self._source.name])
            async for devices in self._batches(connection, span):
                await self._mend(connection, writer, devices)
                if self._report.stopped:
                    break
            if self._apply:
                await self._count_left(connection, span)
        finally:
            writer.close()
            await self._codecs.__aexit__()
            await connection.close()
        return self._report

    async def _connect(self) -> asyncpg.Connection:
        return await connect(self._dsn, application="samara-repair", command_timeout_s=_STATEMENT_S)

    async def _batches(self, connection: asyncpg.Connection, span: Span) -> AsyncIterator[list[DeviceGaps]]:
        """Yield devices with gaps, several together, and note them in the report."""
        held: list[DeviceGaps] = []
        count = 0
        async for device in self._gaps(connection, span):
            self._report.devices[device.dev_eui] = DeviceReport(
                device.dev_eui,
                len(device.gaps),
                sum(gap.frames for gap in device.gaps),
                min(gap.after for gap in device.gaps),
                max(gap.before for gap in device.gaps),
            )
            held.append(device)
            count += len(device.gaps)
            if count >= _GAPS_AT_ONCE:
                yield held
                held, count = [], 0
        if held:
            yield held

    def _gaps(self, connection: asyncpg.Connection, span: Span) -> AsyncIterator[DeviceGaps]:
        return gaps(connection, source=self._source.name, since=span.since, until=span.until, dev_eui=span.dev_eui)

    async def _mend(self, connection: asyncpg.Connection, writer: Writer, devices: Sequence[DeviceGaps]) -> None:
        windows = [window for device in devices for window in windows_of(device)]
        asked = _Asked({device.dev_eui: device.device_id for device in devices}, Inside(windows), set())
        waiting: list[Archived] = []
        log.info("repair_asking", source=self._source.name, devices=len(devices), windows=len(windows))
        try:
            async with aclosing(self._archive.read(windows)) as archived:
                async for one in archived:
                    waiting.append(one)
                    if len(waiting) >= _MESSAGES_AT_ONCE:
                        await self._take(connection, writer, waiting, asked)
                        waiting.clear()
        except ArchiveUnavailableError as error:
            self._report.stopped = str(error)
        if waiting:
            await self._take(connection, writer, waiting, asked)

    async def _take(
        self, connection: asyncpg.Connection, writer: Writer, archived: Sequence[Archived], asked: _Asked
    ) -> None:
        """Count what is missing here of these messages, and store it. What cannot be read is set aside."""
        now = self._clock()
        unreadable: list[Message] = []
        wanted: dict[Key, tuple[str, Message]] = {}
        for one in archived:
            message = Message(self._origin, 0, one.topic, one.body, one.size, now)
            uplinks = self._read(message)
            if uplinks is None:
                unreadable.append(message)
                continue
            for uplink in uplinks:
                if asked.inside(uplink.dev_eui, uplink.received_at):
                    key = (asked.numbers[uplink.dev_eui], uplink.received_at, uplink_key(self._source.name, uplink))
                    wanted[key] = (uplink.dev_eui, message)
        here = await stored(connection, wanted)
        missing = [key for key in wanted if key not in here]
        for key in missing:
            if key not in asked.counted:
                self._report.devices[wanted[key][0]].found += 1
        asked.counted.update(missing)
        self._report.unreadable += len(unreadable)
        messages = [*(wanted[key][1] for key in missing), *unreadable]
        if self._apply and messages:
            written = await writer.store(messages)
            self._report.stored += written.stored

    def _read(self, message: Message) -> list[Uplink] | None:
        """Return the uplinks of the message, one as a rule; None when it cannot be read."""
        if message.size > len(message.body):
            return None
        try:
            events = self._server.parse(message.topic, message.body, message.arrived_at)
        except MessageError:
            return None
        return [event for event in events if isinstance(event, Uplink)]

    async def _count_left(self, connection: asyncpg.Connection, span: Span) -> None:
        for one in self._report.devices.values():
            one.left = 0
        async for device in self._gaps(connection, span):
            if device.dev_eui in self._report.devices:
                self._report.devices[device.dev_eui].left = sum(gap.frames for gap in device.gaps)


def _nobody(_tokens: Sequence[int]) -> None:
    """Acknowledge nobody."""
