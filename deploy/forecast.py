"""How much disk a fleet will take: rows a day, times bytes a row, for as long as each is kept. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from store.sizes import Fleet

DAYS_OF_MONTH: Final = 30.44
HORIZONS_YEARS: Final = (1, 3, 10)
HOT_DAYS: Final = 21.0  # two weeks until a chunk is kept in columns, and the week of the chunk itself

# Bytes a row, indexes included, where the database has too few rows to tell: measured, docs/scaling.md.
PLAIN_BYTES: Final[Mapping[str, float]] = {
    "uplinks": 203.0, "receptions": 157.0, "measurements": 105.0, "network_events": 300.0,
    "measurements_hourly": 145.0, "measurements_daily": 145.0, "radio_accounts": 105.0,
}  # fmt: skip
# What is left of them when kept in columns (TimescaleDB): measured too, of measurements the worse of two measures.
COLUMN_SHARE: Final[Mapping[str, float]] = {
    "uplinks": 0.20, "receptions": 0.13, "measurements": 0.10, "network_events": 0.30, "measurements_hourly": 0.20,
}  # fmt: skip
ENOUGH_ROWS: Final = 100_000  # fewer than that say more of empty pages than of rows


class Line(NamedTuple):
    """One relation: rows and bytes a day as they come, and bytes after each of HORIZONS_YEARS."""

    relation: str
    rows_per_day: float
    bytes_per_day: float
    keep_months: int | None
    bytes_after: tuple[float, ...]


def rows_per_day(fleet: Fleet) -> dict[str, float]:
    """Return how many rows each relation gains."""
    uplinks = fleet.uplinks_per_day
    series = max(fleet.series, 1) if fleet.series else fleet.devices * fleet.measurements_per_uplink
    return {
        "uplinks": uplinks,
        "receptions": uplinks * fleet.receptions_per_uplink,
        "measurements": uplinks * fleet.measurements_per_uplink,
        "network_events": fleet.devices * 1.0,  # a status a day
        "measurements_hourly": min(series * 24.0, uplinks * fleet.measurements_per_uplink),
        "measurements_daily": float(series),
        "radio_accounts": float(fleet.devices),
    }


def forecast(fleet: Fleet, row_bytes: Mapping[str, float], kept: Mapping[str, int], *, timescale: bool) -> list[Line]:
    """Return the lines, largest first. `row_bytes` are those of rows as they come; `kept` is in months."""
    lines = []
    for relation, rows in rows_per_day(fleet).items():
        daily = rows * row_bytes.get(relation, PLAIN_BYTES[relation])
        months = kept.get(relation)
        after = []
        for years in HORIZONS_YEARS:
            days = years * 365.25 if months is None else min(years * 365.25, (months + 1) * DAYS_OF_MONTH)
            hot = min(days, HOT_DAYS) if timescale and relation in COLUMN_SHARE else days
            after.append(daily * (hot + (days - hot) * COLUMN_SHARE.get(relation, 1.0)))
        lines.append(Line(relation, rows, daily, months, tuple(after)))
    return sorted(lines, key=lambda one: -one.bytes_after[-1])
