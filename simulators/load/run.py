"""Publishes a load at its pace, and says how well the pace was kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from simulators.clock import Clock
from simulators.load.generate import Emission, generate
from simulators.load.ledger import LedgerWriter
from simulators.load.spec import LoadSpec

_BATCH: Final = 256
_BUCKET_S: Final = 0.0001
_BUCKETS: Final = 100_000  # ten seconds: whoever is later than that is simply late


class Sink(Protocol):
    """Where messages go: an MQTT publisher, an HTTP sender."""

    async def publish_many(self, messages: Iterable[tuple[str, bytes]]) -> int:
        """Send all, waiting while there is no room."""

    async def drained(self) -> None:
        """Return when everything is acknowledged."""


class Lateness(NamedTuple):
    """How much after their time messages were handed over, in seconds."""

    p50_s: float
    p99_s: float
    max_s: float


class LoadReport(NamedTuple):
    """What was published. `lateness` is None without a pace; `valid` is False when the pace was not kept."""

    messages: int
    uplinks: int
    payload_bytes: int
    seconds: float
    per_second: float
    lateness: Lateness | None
    valid: bool


class _Delays:
    """A histogram of lateness, in tenths of a millisecond."""

    def __init__(self) -> None:
        self._counts = [0] * (_BUCKETS + 1)
        self._max_s = 0.0

    def note(self, now_s: float, batch: Iterable[Emission]) -> None:
        """Count a batch that was handed over at `now_s`."""
        for emission in batch:
            late_s = max(0.0, now_s - emission.due_s)
            self._max_s = max(self._max_s, late_s)
            self._counts[min(_BUCKETS, int(late_s / _BUCKET_S))] += 1

    def _quantile(self, share: float) -> float:
        wanted, seen = share * sum(self._counts), 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return (bucket + 1) * _BUCKET_S
        return self._max_s

    def lateness(self) -> Lateness:
        """Return the figures so far; quantiles are rounded up to a tenth of a millisecond."""
        return Lateness(self._quantile(0.5), self._quantile(0.99), self._max_s)


class Progress(NamedTuple):
    """How far it is."""

    messages: int
    of_about: int


async def run(
    spec: LoadSpec,
    sinks: Sequence[Sink],
    ledger: Path,
    *,
    clock: Clock,
    max_p99_s: float = 0.1,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> LoadReport:
    """Publish the whole load and return when all of it is acknowledged.

    A device always speaks through the same sink, so that its messages keep their order. Each message is in the
    ledger before it is published. With a pace, messages leave on an absolute schedule: a slow moment is caught
    up, and shows as lateness; a run whose p99 exceeds `max_p99_s` is not valid.
    """
    delays, messages, uplinks, size = _Delays(), 0, 0, 0
    emissions = _Ahead(generate(spec))
    start, wall = clock.monotonic(), clock.now().timestamp()
    with LedgerWriter(ledger, spec) as writer:
        while (first := emissions.due_s) is not None:
            if (wait_s := first - (clock.monotonic() - start)) > 0:
                await clock.sleep(wait_s)
            batch = emissions.take(clock.monotonic() - start if spec.pace else None)
            writer.append((one.entry for one in batch if one.entry is not None), _ms(wall, start, clock))
            for sink, share in _shared(batch, sinks):
                await sink.publish_many(share)
            if spec.pace:
                delays.note(clock.monotonic() - start, batch)
            messages += len(batch)
            size += sum([len(one.payload) for one in batch])
            uplinks = writer.records
            on_progress(Progress(messages, spec.uplinks))
        for sink in sinks:
            await sink.drained()
    seconds = clock.monotonic() - start
    lateness = delays.lateness() if spec.pace else None
    return LoadReport(
        messages=messages,
        uplinks=uplinks,
        payload_bytes=size,
        seconds=seconds,
        per_second=messages / seconds if seconds else 0.0,
        lateness=lateness,
        valid=lateness is None or lateness.p99_s <= max_p99_s,
    )


def _ms(wall: float, start: float, clock: Clock) -> int:
    """Return the time of day in ms, from the monotonic clock: a stepped clock must not make messages late."""
    return int((wall + clock.monotonic() - start) * 1000)


class _Ahead:
    """The emissions, one of them looked at before it is taken."""

    def __init__(self, emissions: Iterator[Emission]) -> None:
        self._emissions = emissions
        self._next = next(emissions, None)

    @property
    def due_s(self) -> float | None:
        """When the next one is due, None at the end."""
        return None if self._next is None else self._next.due_s

    def take(self, now_s: float | None) -> list[Emission]:
        """Return what is due by now (None: anything), at least one, at most a batch."""
        batch: list[Emission] = []
        one = self._next
        while one is not None:
            batch.append(one)
            one = next(self._emissions, None)
            if len(batch) >= _BATCH or one is None or (now_s is not None and one.due_s > now_s):
                break
        self._next = one
        return batch


def _shared(batch: Sequence[Emission], sinks: Sequence[Sink]) -> Iterator[tuple[Sink, list[tuple[str, bytes]]]]:
    if len(sinks) == 1:
        yield sinks[0], [(one.topic, one.payload) for one in batch]
        return
    shares: list[list[tuple[str, bytes]]] = [[] for _ in sinks]
    for one in batch:
        shares[one.entry.device % len(sinks) if one.entry is not None else 0].append((one.topic, one.payload))
    yield from ((sink, share) for sink, share in zip(sinks, shares, strict=True) if share)
