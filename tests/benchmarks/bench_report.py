"""Medians of the runs as Markdown tables, and what sections found put together."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

Figures = Mapping[str, float]
Results = Mapping[str, Mapping[str, Sequence[Figures]]]  # section -> row -> runs


class Column(NamedTuple):
    """One figure of a table: its name in the runs, its heading, its number of decimals."""

    name: str
    heading: str
    decimals: int = 0


_CPU: Final = (
    Column("consumer_us", "consumer us", 1),
    Column("postgres_us", "PostgreSQL us", 1),
    Column("broker_us", "broker us", 1),
)
_LIVE: Final = (
    Column("per_second", "stored/s"),
    Column("p50_ms", "p50 ms", 1),
    Column("p95_ms", "p95 ms", 1),
    Column("p99_ms", "p99 ms", 1),
    Column("fsync_ms", "fsync ms", 1),
    Column("late_p99_ms", "generator late p99 ms", 1),
    Column("kept_up", "kept up"),
    Column("batch", "uplinks a batch"),
    *_CPU,
    Column("generator_us", "generator us", 1),
    Column("peak_mb", "ingest MB"),
)
_DRAIN: Final = (
    Column("per_second", "uplinks/s"),
    *_CPU,
    Column("batch", "uplinks a batch"),
    Column("peak_mb", "ingest MB"),
    Column("seconds", "seconds", 1),
)
TABLES: Final[Mapping[str, tuple[str, Sequence[Column]]]] = {
    "limits": ("Limits", (Column("per_second", "uplinks/s"), Column("rows_per_second", "rows/s"), *_CPU)),
    "statements": ("The whole row set, statement by statement, one connection", (Column("us", "us an uplink", 2),)),
    "naive": ("One INSERT per uplink", (Column("per_second", "uplinks/s"), *_CPU)),
    "drain": ("Draining a backlog", _DRAIN),
    "live": ("Live", _LIVE),
    "sustained": ("Sustained", _LIVE),
    "codecs": (
        "Half of the devices decoded by a JavaScript codec",
        (*_LIVE[:1], Column("decoded", "decoded %", 1), *_LIVE[1:]),
    ),
    "day": ("A day of 40,000 sensors", _DRAIN),
    "stages": ("Where the consumer's time goes", (Column("us", "us an uplink", 2),)),
    "batches": (
        "Storing small batches, by uplinks a batch",
        (Column("batch_us", "consumer us a batch"), Column("batch_ms", "ms until committed", 1)),
    ),
    "workers": ("Ingest processes that share a backlog", _DRAIN),
}


def markdown(results: Results) -> str:
    """Return a table for each section, in the order of TABLES."""
    return "\n".join(_table(name, results[name]) for name in TABLES if name in results)


def _table(section: str, rows: Mapping[str, Sequence[Figures]]) -> str:
    title, columns = TABLES[section]
    shown = [one for one in columns if any(one.name in run for runs in rows.values() for run in runs)]
    lines = [f"### {title}", "", _line(["", *(one.heading for one in shown)]), _line(["---", *["--:"] * len(shown)])]
    lines += [_line([row, *(_cell(runs, one) for one in shown)]) for row, runs in rows.items()]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(runs: Sequence[Figures], column: Column) -> str:
    """Return `median (min-max)`, or the one figure of one run."""
    values = [run[column.name] for run in runs if column.name in run]
    if not values:
        return ""
    low, middle, high = (f"{value:,.{column.decimals}f}" for value in _spread(values))
    return middle if low == high else f"{middle} ({low}-{high})"


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), statistics.median(values), max(values)


def merged(known: Mapping[str, Any], found: Mapping[str, Any], *, add: bool) -> dict[str, Any]:
    """Return what is known with what a section found: row by row, in the place of the runs it had or after them."""
    runs = {section: dict(rows) for section, rows in known["runs"].items()}
    for section, rows in found["runs"].items():
        before = runs.setdefault(section, {})
        for row, those in rows.items():
            before[row] = [*(before.get(row, []) if add else []), *those]
    measured = {section: [*rows] for section, rows in found["runs"].items()}
    return {"about": [*known["about"], found["about"] | {"measured": measured}], "runs": runs}
