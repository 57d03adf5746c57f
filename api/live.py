"""Live values: one read per tenant and commit, whatever the number of readers.

What is sent is a state: a reader that falls behind gets what changed since it last got something, each value
once and at its newest, so nothing queues up. The id of an event is the store's cursor, which follows commits and
is the same for every process: a reader that comes back, here or elsewhere, goes on from where it was.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import structlog

from api.models import LatestValue
from api.settings import ApiSettings
from domain.errors import NotFoundError
from store.pool import TRANSIENT

log: Final = structlog.get_logger("api")

SNAPSHOT: Final = "snapshot"
VALUES: Final = "values"
_MAX_CURSOR: Final = 2**63 - 1

Key = tuple[int, str, int]  # point, quantity, channel


class News(NamedTuple):
    """What changed of a tenant since a cursor, the next cursor, and the devices that measure there now."""

    values: list[LatestValue]
    cursor: int
    devices: frozenset[int]


class Event(NamedTuple):
    """One event of a stream: `snapshot` (every latest value) or `values` (those that changed)."""

    event_id: str
    name: str
    data: str


# (tenant_id, cursor, bearer): raises NotFoundError when that bearer may not read it, and what the database raises.
ReadNews = Callable[[int, int, bytes], Awaitable[News]]


# (tenant_id, bearers): returns those that may still read it. Raises what the database raises.
WhoMay = Callable[[int, Collection[bytes]], Awaitable[set[bytes]]]


class Reader:
    """Who follows a stream. `is_out`: the session or key has ended, or its grant was taken away."""

    def __init__(self, bearer: bytes) -> None:
        self.bearer = bearer
        self.is_out = False


class Channel:
    """One tenant's values. Each change has a number; a reader remembers the last it has been told of."""

    def __init__(self, tenant_id: int) -> None:
        self.tenant_id = tenant_id
        self.readers: set[Reader] = set()
        self.dirty = True
        self.lock = asyncio.Lock()
        self.changed = asyncio.Event()
        self.number = 0
        self.cursor = 0
        self._values: dict[Key, tuple[int, LatestValue]] = {}
        self._devices: frozenset[int] = frozenset()
        self._vanished = 0  # the number at which values last disappeared
        self._event = Event("0", SNAPSHOT, _data([]))

    def concerns(self, devices: frozenset[int] | None) -> bool:
        """Say whether news of these devices (None: any) may change this tenant's values."""
        return devices is None or not devices.isdisjoint(self._devices)

    def take(self, news: News, *, whole: bool) -> None:
        """Take what was read; `whole` when it is everything, so that what is not in it is gone."""
        told = {(value.point_id, value.quantity, value.channel): value for value in news.values}
        changed = [value for key, value in told.items() if key not in self._values or self._values[key][1] != value]
        vanished = self._values.keys() - told.keys() if whole else set()
        self._devices, self.cursor = news.devices, news.cursor
        if not changed and not vanished:
            return
        self.number += 1
        for key in vanished:
            del self._values[key]
            self._vanished = self.number
        self._values.update(
            {(value.point_id, value.quantity, value.channel): (self.number, value) for value in changed}
        )
        self._event = self.snapshot() if vanished else Event(str(self.cursor), VALUES, _data(changed))
        self.changed.set()
        self.changed = asyncio.Event()

    def snapshot(self) -> Event:
        """Return everything as it is now."""
        return Event(str(self.cursor), SNAPSHOT, _data(value for _, value in self._values.values()))

    def after(self, number: int) -> Event:
        """Return what a reader that was last told of change `number` has missed."""
        if number == self.number - 1:
            return self._event
        if number < self._vanished:
            return self.snapshot()
        return Event(str(self.cursor), VALUES, _data(value for when, value in self._values.values() if when > number))


def _data(values: Iterable[LatestValue]) -> str:
    return f'{{"values":[{",".join(value.model_dump_json() for value in values)}]}}'


class Hub:
    """All tenants that somebody reads."""

    def __init__(self, *, read: ReadNews, who_may: WhoMay, settings: ApiSettings) -> None:
        self._read = read
        self._who_may = who_may
        self._settings = settings
        self._channels: dict[int, Channel] = {}
        self._woken = asyncio.Event()
        self._closed = False

    @property
    def open_streams(self) -> int:
        """Number of streams open now."""
        return sum(len(channel.readers) for channel in self._channels.values())

    def wake(self, devices: frozenset[int] | None) -> None:
        """Take note that something of these devices (None: any) was committed."""
        for channel in self._channels.values():
            channel.dirty = channel.dirty or channel.concerns(devices)
        self._woken.set()

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for channel in self._channels.values():
            channel.changed.set()

    @asynccontextmanager
    async def stream(
        self, tenant_id: int, bearer: bytes, last_event_id: str | None = None
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Give one tenant's events: first what was missed since `last_event_id`, or a snapshot.

        They end when the bearer may read them no more. Raises what the database raises.
        """
        channel = self._channels.setdefault(tenant_id, Channel(tenant_id))
        reader = Reader(bearer)
        channel.readers.add(reader)
        try:
            if channel.dirty or len(channel.readers) == 1:
                await self._refresh(channel, whole=channel.cursor == 0)
            number = channel.number
            first = await self._first(channel, reader, last_event_id)
            yield self._events(channel, reader, number, first)
        finally:
            channel.readers.discard(reader)

    async def _first(self, channel: Channel, reader: Reader, last_event_id: str | None) -> Event | None:
        cursor = _cursor(last_event_id)
        if cursor is None:
            return channel.snapshot()
        if cursor == channel.cursor:
            return None
        news = await self._read(channel.tenant_id, cursor, reader.bearer)
        return Event(str(news.cursor), VALUES, _data(news.values)) if news.values else None

    async def _events(self, channel: Channel, reader: Reader, number: int, first: Event | None) -> AsyncIterator[Event]:
        if first is not None:
            yield first
        while not self._closed and not reader.is_out:
            if number == channel.number:
                await channel.changed.wait()
                continue
            event, number = channel.after(number), channel.number
            yield event

    async def _refresh(self, channel: Channel, *, whole: bool) -> None:
        async with channel.lock:
            channel.dirty = False
            try:
                news = await self._news(channel, 0 if whole else channel.cursor)
            except BaseException:
                channel.dirty = True
                raise
            if news is not None:
                channel.take(news, whole=whole)

    async def _news(self, channel: Channel, cursor: int) -> News | None:
        """Read once for all who follow, as one of them; None when none of them may any more."""
        for reader in list(channel.readers):
            try:
                return await self._read(channel.tenant_id, cursor, reader.bearer)
            except NotFoundError:
                self._turn_out(channel, reader)
        return None

    async def _look_at_readers(self, channel: Channel) -> None:
        """Turn out those whose session or key has ended since they came."""
        known = list(channel.readers)
        may = await self._who_may(channel.tenant_id, {reader.bearer for reader in known})
        for reader in known:
            if reader.bearer not in may:
                self._turn_out(channel, reader)

    def _turn_out(self, channel: Channel, reader: Reader) -> None:
        reader.is_out = True
        channel.readers.discard(reader)
        channel.changed.set()
        channel.changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the commits, for ever; read everything again from time to time, whatever was notified."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._settings.live_refresh_s
        while True:
            whole = False
            try:
                async with asyncio.timeout_at(due):
                    await self._woken.wait()
            except TimeoutError:
                whole = True
                due = loop.time() + self._settings.live_refresh_s
                self._forget_idle()
                self.wake(None)
            self._woken.clear()
            await self._refresh_dirty(whole=whole)
            await asyncio.sleep(self._settings.live_pause_s)

    async def _refresh_dirty(self, *, whole: bool) -> None:
        for channel in list(self._channels.values()):
            if channel.dirty and channel.readers:
                try:
                    if whole:
                        await self._look_at_readers(channel)
                    await self._refresh(channel, whole=whole)
                except TRANSIENT as error:
                    log.warning("live values were not read", tenant_id=channel.tenant_id, error=repr(error))
                    return  # the next wake or refresh tries again

    def _forget_idle(self) -> None:
        for tenant_id, channel in list(self._channels.items()):
            if not channel.readers:
                del self._channels[tenant_id]


def _cursor(last_event_id: str | None) -> int | None:
    """Return the cursor that an event id is, None if it is not one."""
    text = last_event_id or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    cursor = int(text)
    return cursor if 0 < cursor <= _MAX_CURSOR else None
