"""From pieces to buckets: what a gauge, a counter and a state did in each interval. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from store.reading.pieces import Piece, increase


class GaugeBucket(NamedTuple):
    """A level in an interval (`end` excluded). All but `samples` are None when nothing was measured."""

    start: datetime
    end: datetime
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    last: float | None


class CounterBucket(NamedTuple):
    """A counter in an interval: by how much it grew since the sample before, and its last index.

    The growth across a gap belongs to the interval in which the counter was heard again. What was used between
    the last sample of a device and the first of its replacement is not known and not counted.
    """

    start: datetime
    end: datetime
    samples: int
    increase: float | None
    last: float | None


class StateBucket(NamedTuple):
    """A state in an interval: the last, and the share (0 to 1) of the known time during which it was 1.

    A state holds until the next sample of its device. Before its first sample it is not known.
    """

    start: datetime
    end: datetime
    samples: int
    last: float | None
    share: float | None


class Run(NamedTuple):
    """What one device measured of a point, in order. `opening` is its last sample before the range, if any.

    Its last state holds until `end`.
    """

    opening: Piece | None
    pieces: Sequence[Piece]
    end: datetime


def _by_bucket(edges: Sequence[datetime], pieces: Iterable[Piece]) -> Iterator[tuple[datetime, datetime, list[Piece]]]:
    """Cut pieces that are in order; each lies within one bucket."""
    remaining = iter(pieces)
    upcoming = next(remaining, None)
    for start, end in pairwise(edges):
        held = []
        while upcoming is not None and upcoming.first_at < end:
            held.append(upcoming)
            upcoming = next(remaining, None)
        yield start, end, held


def gauge_buckets(edges: Sequence[datetime], runs: Sequence[Run]) -> list[GaugeBucket]:
    """Return one bucket between each two edges."""
    return [
        _gauge_bucket(start, end, held)
        for start, end, held in _by_bucket(edges, (piece for run in runs for piece in run.pieces))
    ]


def _gauge_bucket(start: datetime, end: datetime, held: list[Piece]) -> GaugeBucket:
    if not held:
        return GaugeBucket(start, end, 0, None, None, None, None)
    samples = sum(piece.samples for piece in held)
    return GaugeBucket(
        start=start,
        end=end,
        samples=samples,
        minimum=min(piece.low for piece in held),
        mean=sum(piece.total for piece in held) / samples,
        maximum=max(piece.high for piece in held),
        last=max(held, key=_last_at).last,  # a piece gathered around another ends after it
    )


def _last_at(piece: Piece) -> datetime:
    return piece.last_at


def counter_buckets(edges: Sequence[datetime], runs: Sequence[Run]) -> list[CounterBucket]:
    """Return one bucket between each two edges."""
    grown = [(piece, growth) for run in runs for piece, growth in _growth(run)]
    growths = iter([growth for _, growth in grown])
    return [
        CounterBucket(
            start=start,
            end=end,
            samples=sum(piece.samples for piece in held),
            increase=sum(next(growths) for _ in held) if held else None,
            last=held[-1].last if held else None,
        )
        for start, end, held in _by_bucket(edges, (piece for piece, _ in grown))
    ]


def _growth(run: Run) -> Iterator[tuple[Piece, float]]:
    """Yield each piece with the growth since the piece before it, its own included."""
    before = run.opening
    for piece in run.pieces:
        step = 0.0 if before is None else increase(before.last, piece.first)
        yield piece, step + (piece.last - piece.first)
        before = piece


class _Held(NamedTuple):
    """A state known from `start` until `end`."""

    start: datetime
    end: datetime
    value: float


def state_buckets(edges: Sequence[datetime], runs: Sequence[Run]) -> list[StateBucket]:
    """Return one bucket between each two edges."""
    states = [held for run in runs for held in _held(run)]
    pieces = (piece for run in runs for piece in run.pieces)
    buckets, position = [], 0
    for start, end, held in _by_bucket(edges, pieces):
        while position < len(states) and states[position].end <= start:
            position += 1
        buckets.append(
            StateBucket(
                start=start,
                end=end,
                samples=sum(piece.samples for piece in held),
                last=held[-1].last if held else None,
                share=_share(start, end, states, position) if held else None,
            )
        )
    return buckets


def _held(run: Run) -> Iterator[_Held]:
    known = [*([run.opening] if run.opening else []), *run.pieces]
    for piece, after in pairwise(known):
        yield _Held(piece.first_at, after.first_at, piece.last)
    if known:
        yield _Held(known[-1].first_at, run.end, known[-1].last)


def _share(start: datetime, end: datetime, states: Sequence[_Held], position: int) -> float | None:
    known_s = on_s = 0.0
    while position < len(states) and states[position].start < end:
        held = states[position]
        lasting_s = (min(held.end, end) - max(held.start, start)).total_seconds()
        known_s += lasting_s
        on_s += lasting_s if held.value == 1 else 0.0
        position += 1
    return on_s / known_s if known_s > 0 else None
