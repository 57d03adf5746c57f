"""One quantity of a point over a period, as a table from which the chart is drawn: its numbers are the same. Pure."""

import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from api.gaps import LOOSE, STRICT, Gap, gaps
from api.pages import view, words
from api.pages.texts import Texts
from api.series import Asked
from store.reading.buckets import CounterBucket, GaugeBucket, StateBucket
from store.reading.series import Sample, Series

RANGES: Final[dict[str, timedelta]] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
DEFAULT_RANGE: Final = "24h"
FALLBACK: Final[str] = "1h"  # when there are too many samples to tell one by one
_EVERY: Final[dict[str, dict[str, str]]] = {
    "gauge": {"24h": "raw", "7d": "1h", "30d": "1d"},
    "counter": {"24h": "1h", "7d": "1d", "30d": "1d"},
    "state": {"24h": "raw", "7d": "raw", "30d": "raw"},
}
_DENSE: Final = 4  # samples a bucket, from which an empty bucket is a hole


class Cell(NamedTuple):
    """A number: as text for people, as it is for the chart."""

    text: str
    value: float


class Row(NamedTuple):
    """One line of the table: numbers at a moment, or (`gap`) the words that say there are none."""

    at_s: float  # where it is drawn, Unix time: the middle of an interval
    when: str
    cells: list[Cell]
    gap: str = ""


class Table(NamedTuple):
    """`kind` is how to draw it (line, band, bars, steps); rows are newest first."""

    kind: str
    columns: list[str]
    rows: list[Row]
    summary: str
    start_s: float
    end_s: float


def every(kind: str, range_name: str) -> str:
    """Return the interval that suits a kind of quantity and a range."""
    return _EVERY[kind][range_name]


class _Told(NamedTuple):
    """One line's numbers: a level (alone, or mean, low and high), an increase, or a state; of `samples` samples."""

    start: datetime
    end: datetime
    samples: int
    numbers: list[float]


def table(found: Series, asked: Asked, range_name: str, texts: Texts) -> Table:
    """Return the table of a series, holes included."""
    told = [_told(row) for row in found.rows if isinstance(row, Sample) or row.samples > 0]
    rows = [_row(one, found, asked, texts) for one in told]
    if found.kind != "state":
        rows += [_gap_row(gap, asked, texts) for gap in _gaps(told, asked)]
    rows.sort(key=lambda row: row.at_s, reverse=True)
    return Table(
        kind=_drawing(found.kind, asked.every),
        columns=[texts(f"column.{name}") for name in _columns(found.kind, asked.every)],
        rows=rows,
        summary=_summary(found, told, range_name, texts) if told else texts("detail.empty"),
        start_s=asked.start.timestamp(),
        end_s=asked.end.timestamp(),
    )


def _told(row: Sample | GaugeBucket | CounterBucket | StateBucket) -> _Told:
    if isinstance(row, Sample):
        return _Told(row.measured_at, row.measured_at, 1, [row.value])
    if isinstance(row, GaugeBucket):
        numbers = [row.mean, row.minimum, row.maximum]
    else:
        numbers = [row.increase if isinstance(row, CounterBucket) else row.last]
    return _Told(row.start, row.end, row.samples, [number for number in numbers if number is not None])


def _drawing(kind: str, interval: str) -> str:
    if kind == "gauge":
        return "line" if interval == "raw" else "band"
    return "bars" if kind == "counter" else "steps"


def _columns(kind: str, interval: str) -> list[str]:
    first = {"raw": "at", "1h": "hour"}.get(interval, "day")
    numbers = {"counter": ["increase"], "state": ["state"]}.get(kind)
    return [first, *(numbers or (["value"] if interval == "raw" else ["mean", "low", "high"]))]


def _row(told: _Told, found: Series, asked: Asked, texts: Texts) -> Row:
    return Row(
        at_s=(told.start + (told.end - told.start) / 2).timestamp(),
        when=words.moment(told.start, asked.zone, _precision(asked), texts),
        cells=[Cell("".join(view.said(found.quantity, number, texts)), number) for number in told.numbers],
    )


def _precision(asked: Asked) -> str:
    return {"raw": "minute", "1h": "hour"}.get(asked.every, "day")


def _gaps(told: Sequence[_Told], asked: Asked) -> list[Gap]:
    """Return the holes, each from the end of what was told before it to the start of what was told after."""
    dense = asked.every != "raw" and statistics.median([one.samples for one in told] or [0]) >= _DENSE
    ends = {one.start: one.end for one in told}
    holes = gaps([one.start for one in told], asked.start, asked.end, STRICT if dense else LOOSE)
    return [Gap(ends.get(hole.start, hole.start), hole.end) for hole in holes]


def _gap_row(gap: Gap, asked: Asked, texts: Texts) -> Row:
    said = texts("detail.gap", lasting=words.lasting((gap.end - gap.start).total_seconds(), texts))
    middle = gap.start + (gap.end - gap.start) / 2
    return Row(middle.timestamp(), words.moment(gap.start, asked.zone, _precision(asked), texts), [], said)


def _summary(found: Series, told: Sequence[_Told], range_name: str, texts: Texts) -> str:
    period = texts(f"range.{range_name}.long")

    def say(value: float) -> str:
        return "".join(view.said(found.quantity, value, texts))

    samples = sum(one.samples for one in told)
    if found.kind == "counter":
        return texts("summary.counter", range=period, total=say(sum(sum(one.numbers) for one in told)))
    if found.kind == "state":
        return texts.plural("summary.state", samples, range=period, last=say(told[-1].numbers[0]))
    low, high = min(min(one.numbers) for one in told), max(max(one.numbers) for one in told)
    mean = sum(one.numbers[0] * one.samples for one in told) / samples
    return texts("summary.gauge", range=period, low=say(low), high=say(high), mean=say(mean))
