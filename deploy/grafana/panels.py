"""Panels and dashboards in Grafana's JSON model (schema version 39: Grafana 11 reads it, 12 and 13 migrate it)."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

DATA_SOURCE: Final = {"type": "grafana-postgresql-datasource", "uid": "samara"}
SCHEMA_VERSION: Final = 39
TAG: Final = "samara"
COLUMNS: Final = 24


class Panel(NamedTuple):
    """One panel, before it has a place. `width` is in columns of 24, `height` in Grafana's rows."""

    title: str
    kind: str
    statement: str
    table: bool
    unit: str = "short"
    width: int = 24
    height: int = 9
    options: dict[str, Any] = {}  # noqa: RUF012 - read, never written


def series(title: str, statement: str, unit: str = "short", *, width: int = 12, bars: bool = False) -> Panel:
    """Return a chart over time: one line, or one bar, for each `metric`."""
    draw = {"drawStyle": "bars", "fillOpacity": 60} if bars else {"drawStyle": "line", "spanNulls": 7_200_000}
    return Panel(title, "timeseries", statement, table=False, unit=unit, width=width, options=draw)


def table(title: str, statement: str, *, width: int = 24) -> Panel:
    """Return a table."""
    return Panel(title, "table", statement, table=True, width=width)


def dashboard(uid: str, title: str, panels: Sequence[Panel], *, since: str = "now-30d") -> dict[str, Any]:
    """Return a dashboard, its panels placed from left to right, and down."""
    return {
        "uid": uid,
        "title": title,
        "tags": [TAG],
        "timezone": "browser",
        "editable": False,
        "schemaVersion": SCHEMA_VERSION,
        "version": 0,
        "refresh": "5m",
        "time": {"from": since, "to": "now"},
        "templating": {"list": []},
        "annotations": {"list": []},
        "panels": _placed(panels),
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    x = y = row = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, row = 0, y + row, 0
        placed.append(_panel(number, panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}))
        x, row = x + panel.width, max(row, panel.height)
    return placed


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": DATA_SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": panel.options}, "overrides": []},
        "options": {},
        "targets": [
            {
                "refId": "A",
                "datasource": DATA_SOURCE,
                "editorMode": "code",
                "rawQuery": True,
                "rawSql": panel.statement.strip(),
                "format": "table" if panel.table else "time_series",
            }
        ],
    }
