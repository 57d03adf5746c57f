"""The numbers that a network server's own codec computed, kept under their own names.

They are second best: no unit, no vocabulary, no plausible range. `ns:` marks them (`domain.quantities`).
"""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from domain.quantities import FOREIGN_PREFIX
from domain.readings import Reading

MAX_FIELDS: Final = 64
MAX_DEPTH: Final = 4
MAX_NAME_LENGTH: Final = 64  # with the prefix


def foreign_readings(foreign: Mapping[str, Any]) -> list[Reading]:
    """Return the finite numbers of a JSON object as readings named `ns:<path.to.field>`.

    Booleans are 0 and 1; strings, nulls, NaN and the infinities are left out, and so is what lies deeper than
    MAX_DEPTH or comes after MAX_FIELDS. The elements of a list are named by their place. Of two fields that
    bear one name once it is cleaned and cut, the first is kept.
    """
    readings: dict[str, Reading] = {}
    for path, value in islice(_numbers(foreign, "", MAX_DEPTH), MAX_FIELDS):
        name = _clean(path)
        if name:
            readings.setdefault(name, Reading(FOREIGN_PREFIX + name, value))
    return list(readings.values())


def _numbers(value: object, path: str, depth: int) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:  # JSON has integers of any length
            return
        if math.isfinite(number):
            yield path, number
    elif depth and isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else str(name), depth - 1)
    elif depth and isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _numbers(inner, f"{path}.{place}", depth - 1)


def _clean(path: str) -> str:
    """Drop what no database column or page can show (NUL, control characters, lone surrogates), and cut."""
    printable = path if path.isprintable() else "".join(filter(str.isprintable, path))
    return printable.strip()[: MAX_NAME_LENGTH - len(FOREIGN_PREFIX)]
