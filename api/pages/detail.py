"""One quantity of a point over a period, as a table from which the chart is drawn: its numbers are the same. Pure."""

import statistics
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, cast

from api.gaps import LOOSE, STRICT, Gap, gaps
from api.pages import view, words
from api.pages.texts import Texts
from api.series import RAW, Asked, Found
from api.units import written
from store.reading.buckets import CounterBucket, GaugeBucket, StateBucket
from store.reading.series import Sample

_DENSE: Final = 4  # samples a bucket, from which an empty bucket is a hole
_SAME: Final = 0.02  # of what lies between lowest and highest: two years that differ by less do not differ

_AnyRow = Sample | GaugeBucket | CounterBucket | StateBucket


class Cell(NamedTuple):
    """A number: as text for people, as it is for the chart. `value` None: there is none."""

    text: str
    value: float | None


class Column(NamedTuple):
    """A column of numbers. `role` says how it is drawn: level, low, high or previous."""

    role: str
    label: str


class Row(NamedTuple):
    """One line of the table: numbers at a moment, or (`gap`) the words that say there are none."""

    at_s: float  # where it is drawn, Unix time: the middle of an interval
    when: str
    cells: list[Cell]
    gap: str = ""


class Table(NamedTuple):
    """`kind` is how to draw it (line, band, bars, steps); rows are newest first."""

    kind: str
    first: str  # the head of the first column
    columns: list[Column]
    rows: list[Row]
    summary: str
    comparison: str
    start_s: float
    end_s: float


class _Told(NamedTuple):
    """One line's numbers: a level (alone, or mean, low and high), an increase, or a state; of `samples` samples."""

    start: datetime
    end: datetime
    samples: int
    numbers: list[float]
    previous: float | None


def table(found: Found, asked: Asked, period: str, texts: Texts) -> Table:
    """Return the table of a series, holes included. `period` says in words how long: "Ces 24 dernières heures"."""
    kind, every = found.series.kind, found.every
    told = _all_told(found)
    rows = [_row(one, found, asked, texts) for one in told]
    if kind != "state":
        rows += [_gap_row(gap, every, asked, texts) for gap in _gaps(told, every, asked)]
    rows.sort(key=lambda row: row.at_s, reverse=True)
    return Table(
        kind=_drawing(kind, every),
        first=texts(f"column.{_precision(every)}"),
        columns=_columns(found, texts),
        rows=rows,
        summary=_summary(found, told, period, texts) if told else texts("detail.empty"),
        comparison=_comparison(found, told, texts),
        start_s=asked.start.timestamp(),
        end_s=asked.end.timestamp(),
    )


def _all_told(found: Found) -> list[_Told]:
    rows = cast("Sequence[_AnyRow]", found.series.rows)
    compared = found.previous is not None and found.every != RAW
    before = cast("Sequence[object]", found.previous) if compared else [None] * len(rows)
    pairs = zip(rows, before, strict=False)
    return [_told(row, other) for row, other in pairs if isinstance(row, Sample) or row.samples > 0]


def _told(row: _AnyRow, before: object) -> _Told:
    previous = next(iter(_numbers(before)), None)
    if isinstance(row, Sample):
        return _Told(row.measured_at, row.measured_at, 1, [row.value], previous)
    return _Told(row.start, row.end, row.samples, _numbers(row), previous)


def _numbers(row: object) -> list[float]:
    if isinstance(row, GaugeBucket):
        numbers = [row.mean, row.minimum, row.maximum]
    elif isinstance(row, CounterBucket):
        numbers = [row.increase]
    else:
        numbers = [row.last] if isinstance(row, StateBucket) else []
    return [number for number in numbers if number is not None]


def _drawing(kind: str, every: str) -> str:
    if kind == "gauge":
        return "line" if every == RAW else "band"
    return "bars" if kind == "counter" else "steps"


def _columns(found: Found, texts: Texts) -> list[Column]:
    if found.series.kind == "gauge" and found.every != RAW:
        names = [("level", "mean"), ("low", "low"), ("high", "high")]
    else:
        names = [("level", {"counter": "increase", "state": "state"}.get(found.series.kind, "value"))]
    if found.previous is not None and found.every != RAW:
        names.append(("previous", "previous"))
    return [Column(role, texts(f"column.{name}")) for role, name in names]


def _row(told: _Told, found: Found, asked: Asked, texts: Texts) -> Row:
    quantity = found.series.quantity
    cells = [Cell("".join(view.said(quantity, number, texts)), number) for number in told.numbers]
    if found.previous is not None and found.every != RAW:
        said = "—" if told.previous is None else "".join(view.said(quantity, told.previous, texts))
        cells.append(Cell(said, told.previous))
    return Row(_middle(told), _when(told.start, found.every, asked, texts), cells)


def _middle(told: _Told) -> float:
    return (told.start.timestamp() + told.end.timestamp()) / 2


def _precision(every: str) -> str:
    """Return how finely the moment of a row is told."""
    return {RAW: "minute", "1h": "hour", "1mo": "month"}.get(every, "day")


def _when(at: datetime, every: str, asked: Asked, texts: Texts) -> str:
    precision = _precision(every)
    if precision == "month":
        return words.month(at.astimezone(asked.zone).date(), texts)
    return words.moment(at, asked.zone, precision, texts, asked.end)


def _gaps(told: Sequence[_Told], every: str, asked: Asked) -> list[Gap]:
    """Return the holes, each from the end of what was told before it to the start of what was told after."""
    dense = every != RAW and statistics.median([one.samples for one in told] or [0]) >= _DENSE
    ends = {one.start: one.end for one in told}
    holes = gaps([one.start for one in told], asked.start, asked.end, STRICT if dense else LOOSE)
    return [Gap(ends.get(hole.start, hole.start), hole.end) for hole in holes]


def _gap_row(gap: Gap, every: str, asked: Asked, texts: Texts) -> Row:
    said = texts("detail.gap", lasting=words.lasting((gap.end - gap.start).total_seconds(), texts))
    middle = gap.start + (gap.end - gap.start) / 2
    return Row(middle.timestamp(), _when(gap.start, every, asked, texts), [], said)


def _summary(found: Found, told: Sequence[_Told], period: str, texts: Texts) -> str:
    def say(value: float) -> str:
        return "".join(view.said(found.series.quantity, value, texts))

    samples = sum(one.samples for one in told)
    if found.series.kind == "counter":
        unit = words.unit(written(found.series.quantity, found.series.unit), texts)
        total = words.rounded(sum(sum(one.numbers) for one in told), texts) + unit
        return texts("summary.counter", range=period, total=total)
    if found.series.kind == "state":
        return texts.plural("summary.state", samples, range=period, last=say(told[-1].numbers[0]))
    low, high = min(min(one.numbers) for one in told), max(max(one.numbers) for one in told)
    mean = sum(one.numbers[0] * one.samples for one in told) / samples
    return texts("summary.gauge", range=period, low=say(low), high=say(high), mean=say(mean))


def _comparison(found: Found, told: Sequence[_Told], texts: Texts) -> str:
    """Say how much more or less than a year before, over what was measured in both years."""
    first = next((index for index, one in enumerate(told) if one.previous is not None), 0)
    whole = (
        told[first + 1 :] if first else told
    )  # what was first measured in the middle of an interval is not all of it
    both = [(one.numbers[0], one.previous, one.samples) for one in whole if one.previous is not None]
    if found.previous is None or found.series.kind == "state":
        return ""
    if not both:
        return texts("summary.no_previous")
    if found.series.kind == "counter":
        now, before = sum(number for number, _, _ in both), sum(previous for _, previous, _ in both)
        if before <= 0:
            return ""
        said = words.percent(now / before - 1, texts)
        return texts("summary.same" if said == words.percent(0, texts) else "summary.previous", percent=said)
    samples = sum(count for _, _, count in both)
    difference = sum((number - previous) * count for number, previous, count in both) / samples
    between = max(max(one.numbers) for one in told) - min(min(one.numbers) for one in told)
    if abs(difference) <= _SAME * between:
        return texts("summary.same")
    said = "".join(view.said(found.series.quantity, abs(difference), texts))
    return texts("summary.higher" if difference >= 0 else "summary.lower", difference=said)
