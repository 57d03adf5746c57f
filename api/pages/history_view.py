"""Figures of the network day by day, drawn as lines in an SVG: the table beside says the same. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from api.pages import network_words
from api.pages.texts import Texts

WIDTH: Final = 1000
HEIGHT: Final = 100
LEAST_DAYS: Final = 3  # fewer make no line


class Curve(NamedTuple):
    """One line: its class, what it is, and its last value in words."""

    kind: str
    words: str
    path: str
    last: str


class History(NamedTuple):
    """Lines over the same days, with the bounds of both axes in words."""

    curves: list[Curve]
    high: str
    low: str
    first: str
    last: str


def history(
    series: Sequence[tuple[str, str, Mapping[date, float]]], step: float, written: Callable[[float], str], texts: Texts
) -> History | None:
    """Draw series, each its class, its name and its values by day; None when there is too little to draw.

    The scale begins and ends at whole multiples of `step`; `written` says a value with its unit.
    """
    days = sorted({day for _, _, values in series for day in values})
    known = [value for _, _, values in series for value in values.values()]
    if len(days) < LEAST_DAYS:
        return None
    low, high = math.floor(min(known) / step) * step, math.ceil(max(known) / step) * step
    if low == high:
        low, high = low - step, high + step
    curves = [
        Curve(kind, words, _path(values, days, low, high), written(values[max(values)]))
        for kind, words, values in series
        if values
    ]
    ends = [network_words.day(day, texts) for day in (days[0], days[-1])]
    return History(curves, written(high), written(low), *ends)


def _path(values: Mapping[date, float], days: Sequence[date], low: float, high: float) -> str:
    """Return the line through the values; where a day lacks, it is broken."""
    span, parts, before = (days[-1] - days[0]).days, [], None
    for day in sorted(values):
        x = round(WIDTH * (day - days[0]).days / span)
        y = round(HEIGHT * (high - values[day]) / (high - low), 1)
        is_next = before is not None and (day - before).days == 1
        parts.append(f"L{x} {y:g}" if is_next else f"M{x} {y:g}h.1")
        before = day
    return "".join(parts)
