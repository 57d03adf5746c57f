"""Curves as SVG within a page: no script, nothing fetched. Screen readers get the numbers beside them."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

_WIDTH: Final = 720
_HEIGHT: Final = 260
_LEFT: Final = 52
_FOOT: Final = 40
_TOP: Final = 12
_RIGHT: Final = 12

Points = Sequence[tuple[float, float]]


def curves(
    series: Mapping[str, Points], *, across: str, marks: Sequence[float], halving: bool = False, top: float = 100.0
) -> str:
    """Return lines from 0 to `top` % over what `across` says, and which colour is which.

    `marks` are told below the axis. Where `halving`, equal steps across are equal ratios.
    """
    scale = math.log if halving else float
    low, high = (scale(edge(x for points in series.values() for x, _ in points)) for edge in (min, max))

    def at(x: float, y: float) -> tuple[float, float]:
        wide, high_px = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _FOOT - _TOP
        return _LEFT + wide * (scale(x) - low) / ((high - low) or 1.0), _TOP + high_px * (1 - y / top)

    drawn = []
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = at(math.exp(low) if halving else low, top * part)[1]
        drawn.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * part:g} %</text>'
        )
    drawn += [
        f'<text x="{at(x, 0)[0]:.1f}" y="{_HEIGHT - _FOOT + 16}" text-anchor="middle">{x:g}</text>' for x in marks
    ]
    middle = _LEFT + (_WIDTH - _LEFT - _RIGHT) / 2
    drawn.append(f'<text x="{middle:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(across)}</text>')
    for number, points in enumerate(series.values()):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in points))
        drawn.append(f'<polyline class="s{number}" points="{path}"/>')
        drawn += [
            f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in (at(*one) for one in points)
        ]
    names = "".join(f'<li><i class="s{number}"></i>{escape(name)}</li>' for number, name in enumerate(series) if name)
    key = f'<ul class="key">{names}</ul>' if names else ""
    return f'{key}<svg class="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(drawn)}</svg>'
