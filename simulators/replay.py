"""Publishes captured messages again: as fast as the broker takes them, or at the pace they were recorded."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from simulators import capture
from simulators.broker import BrokerAddress
from simulators.capture import Line, Message, Skipped
from simulators.clock import Clock
from simulators.mqtt_publisher import Publisher

SKIPPED_SHOWN: Final = 100
_PROGRESS_EVERY: Final = 500  # messages


class Progress(NamedTuple):
    """How far it is. `fraction` is of all the files' bytes; None when a size is unknown (standard input)."""

    published: int
    acknowledged: int
    skipped: int
    fraction: float | None


class ReplayReport(NamedTuple):
    """What was done. `problems` holds the first lines that were not messages, `skipped` counts them all."""

    messages: int
    acknowledged: int
    skipped: int
    problems: tuple[Skipped, ...]
    payload_bytes: int
    seconds: float


class _Tally:
    """What was read so far, over all files."""

    def __init__(self, files: Sequence[str | Path]) -> None:
        self.files = len(files)
        self.done = 0
        self.skipped = 0
        self.problems: list[Skipped] = []
        self.payload_bytes = 0
        self._within: float | None = 0.0

    def messages(self, lines: Iterable[Line]) -> Iterator[Message]:
        """Yield the messages of one file, counting what is not one."""
        for item, position, size in lines:
            self._within = position / size if size else None
            if isinstance(item, Skipped):
                self.skipped += 1
                if len(self.problems) < SKIPPED_SHOWN:
                    self.problems.append(item)
            else:
                self.payload_bytes += len(item.payload)
                yield item
        self.done += 1
        self._within = 0.0

    @property
    def fraction(self) -> float | None:
        """The share of the files that was read, each counting for one."""
        return None if self._within is None else min(1.0, (self.done + self._within) / max(1, self.files))


async def replay(
    files: Sequence[str | Path],
    broker: BrokerAddress,
    *,
    clock: Clock,
    speed: float | None = None,
    shift_to_now: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
    client_id: str = "samara-replay",
    window: int = 1000,
) -> ReplayReport:
    """Publish every message of the files in order, and return once the broker has acknowledged all.

    `speed` is a multiple of the recorded pace (1.0 = as it happened), None = as fast as possible.
    `shift_to_now` moves all times by one same amount, so that the latest becomes now; `-` (standard input)
    cannot be read twice and stays as it is. Raises BrokerUnreachableError, BrokerRefusedError,
    PublishRefusedError, ConfigurationError (a file cannot be read).
    """
    tally, start = _Tally(files), clock.monotonic()
    delta = _shift(files, clock.now()) if shift_to_now else None
    async with Publisher(broker, client_id=client_id, window=window) as publisher:

        def tell() -> None:
            on_progress(Progress(publisher.published, publisher.acknowledged, tally.skipped, tally.fraction))

        for name in files:
            messages = _shifted(tally.messages(capture.read(name)), delta)
            if speed is None:
                await _at_once(publisher, messages, tell)
            else:
                await _paced(publisher, messages, speed, clock, tell)
        await publisher.drained()
        tell()
    return ReplayReport(
        messages=publisher.published,
        acknowledged=publisher.acknowledged,
        skipped=tally.skipped,
        problems=tuple(tally.problems),
        payload_bytes=tally.payload_bytes,
        seconds=clock.monotonic() - start,
    )


def _shift(files: Iterable[str | Path], now: datetime) -> timedelta | None:
    """Return what must be added to every time; None when no message carries one."""
    latest = None
    for name in files:
        if str(name) != capture.STDIN:
            for item, _, _ in capture.read(name):
                if isinstance(item, Message) and item.at is not None:
                    latest = item.at if latest is None else max(latest, item.at)
    return None if latest is None else now - latest


def _shifted(messages: Iterable[Message], delta: timedelta | None) -> Iterator[Message]:
    for message in messages:
        yield message if delta is None else message._replace(payload=capture.shifted(message.payload, delta))


async def _at_once(publisher: Publisher, messages: Iterator[Message], tell: Callable[[], None]) -> None:
    def counted() -> Iterator[tuple[str, bytes]]:
        for number, message in enumerate(messages, start=1):
            yield message.topic, message.payload
            if number % _PROGRESS_EVERY == 0:
                tell()

    await publisher.publish_many(counted())


async def _paced(
    publisher: Publisher, messages: Iterator[Message], speed: float, clock: Clock, tell: Callable[[], None]
) -> None:
    """Publish each message when its recorded time, from the file's first, has passed `speed` times as fast."""
    start, first = clock.monotonic(), None
    for message in messages:
        if message.at is not None:
            first = first or message.at
            due = start + (message.at - first).total_seconds() / speed
            if due > clock.monotonic():
                await clock.sleep(due - clock.monotonic())
        await publisher.publish(message.topic, message.payload)
        tell()
