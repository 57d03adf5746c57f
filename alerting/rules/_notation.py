"""Series as Prometheus's rule tests write them, and durations: `1+1x10 _ 5x3 stale`, `1h30m`.

`a` one value; `a+bxn`, `a-bxn` n+1 values from a by steps of b; `axn` the value n+1 times; `_` none, `_xn` none n
times; `stale` the series ends there. Source: the documentation of `promtool test rules` (prometheus.io).
"""

import math
import re
from typing import Final

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RUN: Final = re.compile(rf"({_NUMBER})(?:([-+])({_NUMBER}))?x(\d+)\Z")
_GAP: Final = re.compile(r"_(?:x(\d+))?\Z")
_ONE: Final = re.compile(rf"{_NUMBER}\Z")
_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
MAX_VALUES: Final = 200_000


def values(text: str) -> list[float | None]:
    """Return the values of a series; None where there is none, NaN where it ends. Raises ValueError."""
    found: list[float | None] = []
    for token in text.split():
        found += _token(token)
        if len(found) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values")
    return found


def _token(token: str) -> list[float | None]:
    gap, run = _GAP.match(token), _RUN.match(token)
    if token == "stale":  # noqa: S105 - a word of the notation
        return [math.nan]
    if gap:
        return [None] * min(int(gap[1] or 1), MAX_VALUES + 1)
    if run:
        start, count = float(run[1]), min(int(run[4]), MAX_VALUES)
        by = float(run[3] or 0) * (-1 if run[2] == "-" else 1)
        return [start + by * place for place in range(count + 1)]
    if _ONE.match(token):
        return [float(token)]
    raise ValueError(f"{token!r} is not a value, a+bxn, axn, _, _xn or stale")


def seconds(text: str | float) -> float:
    """Return a duration such as `1h30m`; a number is seconds. Raises ValueError."""
    if isinstance(text, int | float):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration such as 90s, 20m or 1h30m")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)
