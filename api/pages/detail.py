"""One quantity of a point over a period, as a table from which the chart is drawn: its numbers are the same. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from api import models
from api.pages import view, words
from api.pages.gaps import LOOSE, STRICT, Gap, gaps
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
FALLBACK: Final[models.Every] = "1h"  # when there are too many samples to tell one by one
_EVERY: Final[dict[str, dict[str, models.Every]]] = {
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


def every(kind: str, range_name: str) -> models.Every:
    """Return the interval that suits a kind of quantity and a range."""
    return _EVERY[kind][range_name]


def table(found: Series, asked: Asked, range_name: str, texts: Texts) -> Table:
    """Return the table of a series, holes included."""
    rows = [row for row in found.rows if _is_filled(row)]
    told = [_row(row, found, asked, texts) for row in rows]
    if found.kind != "state":
        told += [_gap_row(gap, asked.zone, texts) for gap in _gaps(rows, found, asked)]
    told.sort(key=lambda row: row.at_s, reverse=True)
    return Table(
        kind=_drawing(found.kind, asked.every),
        columns=[texts(f"column.{name}") for name in _columns(found.kind, asked.every)],
        rows=told,
        summary=_summary(found, rows, range_name, texts) if rows else texts("detail.empty"),
        start_s=asked.start.timestamp(),
        end_s=asked.end.timestamp(),
    )


def _is_filled(row: Any) -> bool:
    return isinstance(row, Sample) or row.count > 0


def _drawing(kind: str, interval: models.Every) -> str:
    if kind == "gauge":
        return "line" if interval == "raw" else "band"
    return "bars" if kind == "counter" else "steps"


def _columns(kind: str, interval: models.Every) -> list[str]:
    first = {"raw": "at", "1h": "hour"}.get(interval, "day")
    numbers = {"counter": ["increase"], "state": ["state"]}.get(kind)
    return [first, *(numbers or (["value"] if interval == "raw" else ["mean", "low", "high"]))]


def _row(row: Any, found: Series, asked: Asked, texts: Texts) -> Row:
    if isinstance(row, Sample):
        at, when, values = row.measured_at, words.moment(row.measured_at, asked.zone, "minute", texts), [row.value]
    else:
        precision = "hour" if asked.every == "1h" else "day"
        at, when = row.start + (row.end - row.start) / 2, words.moment(row.start, asked.zone, precision, texts)
        values = _values(row)
    return Row(at.timestamp(), when, [Cell("".join(view.said(found.quantity, v, texts)), v) for v in values])


def _values(row: GaugeBucket | CounterBucket | StateBucket) -> list[float]:
    if isinstance(row, GaugeBucket):
        found = [row.mean, row.minimum, row.maximum]
    elif isinstance(row, CounterBucket):
        found = [row.increase]
    else:
        found = [row.last]
    return [value for value in found if value is not None]  # a filled bucket has them all


def _gaps(rows: Sequence[Any], found: Series, asked: Asked) -> list[Gap]:
    times = [row.measured_at if isinstance(row, Sample) else row.start for row in rows]
    counts = sorted(row.count for row in rows if not isinstance(row, Sample))
    dense = bool(counts) and counts[len(counts) // 2] >= _DENSE
    holes = gaps(times, asked.start, asked.end, STRICT if dense else LOOSE)
    ends = {row.start: row.end for row in found.rows if not isinstance(row, Sample)}
    return [Gap(ends.get(hole.start, hole.start), hole.end) for hole in holes]  # after the bucket, not in it


def _gap_row(gap: Gap, zone: ZoneInfo, texts: Texts) -> Row:
    said = texts("detail.gap", lasting=words.lasting((gap.end - gap.start).total_seconds(), texts))
    middle: datetime = gap.start + (gap.end - gap.start) / 2
    return Row(middle.timestamp(), words.moment(gap.start, zone, "minute", texts), [], said)


def _summary(found: Series, rows: Sequence[Any], range_name: str, texts: Texts) -> str:
    period = texts(f"range.{range_name}.long")

    def say(value: float) -> str:
        return "".join(view.said(found.quantity, value, texts))

    if found.kind == "counter":
        return texts("summary.counter", range=period, total=say(sum(row.increase or 0.0 for row in rows)))
    if found.kind == "state":
        last = rows[-1].value if isinstance(rows[-1], Sample) else rows[-1].last
        reports = sum(1 if isinstance(row, Sample) else row.count for row in rows)
        return texts.plural("summary.state", reports, range=period, last=say(last))
    if isinstance(rows[0], Sample):
        values = [row.value for row in rows]
        low, mean, high = min(values), sum(values) / len(values), max(values)
    else:
        count = sum(row.count for row in rows)
        low, high = min(row.minimum for row in rows), max(row.maximum for row in rows)
        mean = sum(row.mean * row.count for row in rows) / count
    return texts("summary.gauge", range=period, low=say(low), high=say(high), mean=say(mean))
