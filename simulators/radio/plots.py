"""Draws numbers as SVG within a page: no script, nothing fetched, colours from the page's own style sheet.

Every drawing stands beside the same numbers in a table, and is hidden from screen readers.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f23;--soft:#5a6470;--line:#d5dae0;--ground:#fff;--mark:#1f5fae;--good:#1f5fae;
--fair:#c77700;--bad:#b3261e;--s0:#08306b;--s1:#2167ac;--s2:#4f9bcb;--s3:#9ac9a3;--s4:#e0a13a;--s5:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a3adb8;--line:#39424c;--ground:#14181c;--mark:#6aa9f0;
--good:#6aa9f0;--fair:#f0b04a;--bad:#ff8a80;--s0:#7fb3f5;--s1:#5b9be6;--s2:#6fc0d8;--s3:#9fdcae;--s4:#f0b95c;--s5:#ff8a80}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);max-width:62rem;margin:0 auto;
padding:1rem}h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{max-width:44rem}
.lead{font-size:1.15rem}.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{text-align:right;padding:.2rem .6rem;border-bottom:1px solid var(--line);font-weight:400;white-space:nowrap}
th[scope=row],thead th:first-child{text-align:left}thead th{color:var(--soft);white-space:normal;
vertical-align:bottom}td.bar{text-align:left;min-width:8rem}
svg{display:block;max-width:100%;height:auto}svg text{fill:var(--soft);font:12px system-ui,sans-serif}
.axis{stroke:var(--line)}.fill{fill:var(--mark)}.track{stroke:var(--mark);fill:none;stroke-width:2}
.good{fill:var(--good)}.fair{fill:var(--fair)}.bad{fill:var(--bad)}.mast{fill:none;stroke:var(--ink);stroke-width:2}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}dt{color:var(--soft)}dd{margin:0;
overflow-wrap:anywhere}.key{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;padding:0;list-style:none;color:var(--soft)}
.key i{display:inline-block;width:.8rem;height:.8rem;margin-right:.35rem}
"""
_BAR: Final = 160
_WIDTH: Final = 720
_HEIGHT: Final = 220
_LEFT: Final = 48
_FOOT: Final = 24
GOOD: Final = 0.9
FAIR: Final = 0.5


def bar(value: float, largest: float) -> str:
    """Return one bar of a table's last column."""
    width = round(_BAR * value / largest, 1) if largest else 0
    return f'<svg width="{_BAR}" height="12" aria-hidden="true"><rect class="fill" width="{width}" height="12"/></svg>'


def _frame(top: float, unit: str, hours: int, inside: str) -> str:
    """Return axes from 0 to `top` and from hour 0 to `hours`, around a drawing."""
    low, right = _HEIGHT - _FOOT, _WIDTH - 8
    marks = [
        f'<line class="axis" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(f"{top * part:,.4g}{unit}")}</text>'
        for part in (0.0, 0.5, 1.0)
        for y in (low - (low - 10) * part,)
    ]
    every = max(1, hours // 8)
    marks += [
        f'<text x="{_LEFT + (right - _LEFT) * hour / max(1, hours):.1f}" y="{_HEIGHT - 6}" '
        f'text-anchor="middle">{hour} h</text>'
        for hour in range(0, hours + 1, every)
    ]
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(marks)}{inside}</svg>'


def _x(place: float, count: int) -> float:
    return _LEFT + (_WIDTH - 8 - _LEFT) * place / max(1, count)


def _y(value: float, top: float) -> float:
    low = _HEIGHT - _FOOT
    return low - (low - 10) * value / top if top else low


def steps(values: Sequence[float], unit: str = "", top: float = 0.0) -> str:
    """Return a line by hour, level within each."""
    top = top or max(values, default=0) or 1.0
    points = " ".join(
        f"{_x(place + side, len(values)):.1f},{_y(value, top):.1f}"
        for place, value in enumerate(values)
        for side in (0, 1)
    )
    return _frame(top, unit, len(values), f'<polyline class="track" points="{points}"/>')


def stack(rows: Sequence[Mapping[str, float]]) -> str:
    """Return columns by hour, each made of its named parts, the first at the bottom."""
    top = max((sum(row.values()) for row in rows), default=0) or 1.0
    parts = []
    for place, row in enumerate(rows):
        base = 0.0
        for number, value in enumerate(row.values()):
            low, high = _y(base, top), _y(base + value, top)
            base += value
            x, width = _x(place, len(rows)), _x(1, len(rows)) - _LEFT
            parts.append(
                f'<rect x="{x:.1f}" width="{width:.2f}" y="{high:.1f}" height="{low - high:.1f}" '
                f'style="fill:var(--s{number})"/>'
            )
    return _frame(top, "", len(rows), "".join(parts))


def key(names: Sequence[str]) -> str:
    """Return which colour of `stack` is what."""
    items = (f'<li><i style="background:var(--s{place})"></i>{escape(name)}</li>' for place, name in enumerate(names))
    return f'<ul class="key">{"".join(items)}</ul>'


def territory(gateways: Sequence[Sequence[float]], devices: Sequence[Sequence[float]]) -> str:
    """Return a map in kilometres: gateways as triangles, devices as dots, larger and redder where frames are lost."""
    xs, ys = ([one[axis] for one in (*gateways, *devices)] for axis in (0, 1))
    side = max(max(xs) - min(xs), max(ys) - min(ys), 1.0) * 1.06
    middle = ((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
    size = 520

    def at(x: float, y: float) -> tuple[float, float]:
        return size * (0.5 + (x - middle[0]) / side), size * (0.5 - (y - middle[1]) / side)

    drawn = []
    for x, y, share in sorted(devices, key=lambda one: -one[2]):
        (left, top), name = at(x, y), "good" if share >= GOOD else "fair" if share >= FAIR else "bad"
        radius = {"good": 1.6, "fair": 2.4, "bad": 3.2}[name]
        drawn.append(f'<circle class="{name}" cx="{left:.1f}" cy="{top:.1f}" r="{radius}"/>')
    for x, y in gateways:
        left, top = at(x, y)
        drawn.append(f'<path class="mast" d="M{left:.1f} {top - 8:.1f}l7 13h-14z"/>')
    step_km = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if step * 3 > side / 2 or step == 1000)
    long = size * step_km / side
    drawn.append(f'<path class="mast" d="M12 {size - 12}h{long:.1f}"/><text x="12" y="{size - 18}">{step_km} km</text>')
    return f'<svg viewBox="0 0 {size} {size}" width="{size}" aria-hidden="true">{"".join(drawn)}</svg>'
