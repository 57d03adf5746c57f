"""From what a codec answers to readings: a mapping that is declared for each codec. Pure.

A path names fields by their members, joined by dots. `*` stands for every element of a list or member of an
object; `[name=word]` for the elements of a list whose member `name` is `word`:
    temperature            {"temperature": 21.5}
    history.*.humidity     {"history": [{"humidity": 40, "timestamp": 1665561758}, ...]}
    samples.[variable=temperature].value
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from domain.quantities import QUANTITIES
from domain.readings import Reading

TimeForm = Literal["iso", "epoch_s", "epoch_ms", "age_s"]

MAX_READINGS: Final = 500  # of one frame
MAX_FIELDS: Final = 500  # looked at for what is not mapped
_MAX_DEPTH: Final = 8
_CHOICE: Final = re.compile(r"\[([^=\]]+)=([^\]]*)\]")
_EARLIEST_S: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST_S: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


class Field(NamedTuple):
    """Where one quantity is in the answer: its value is number * factor + offset, in the quantity's unit.

    `words` gives the number for an answer in words ({"open": 1, "closed": 0}). `time` is the path of the moment
    of measurement; where it begins with the same `*` or choices as `path`, it is of the same element.
    """

    path: str
    quantity: str
    factor: float = 1.0
    offset: float = 0.0
    channel: int = 0
    words: Mapping[str, float] = {}
    time: str = ""
    time_form: TimeForm = "iso"


class Mapped(NamedTuple):
    """The readings of an answer, what could not be read, and where the values stand that fields took (`unmapped`)."""

    readings: list[Reading]
    problems: tuple[str, ...]
    taken: set[tuple[str | int, ...]]


class Located(NamedTuple):
    """A value found, with the steps (members, places in lists) that led to it."""

    steps: tuple[str | int, ...]
    value: Any


def problems_of(fields: Sequence[Field]) -> tuple[str, ...]:
    """Say what is wrong with a mapping: unknown quantities, factors of zero, two fields for one reading."""
    problems = [f"{field.path}: no quantity {field.quantity}" for field in fields if field.quantity not in QUANTITIES]
    problems += [
        f"{field.path}: factor {field.factor}, offset {field.offset}"
        for field in fields
        if not (math.isfinite(field.factor) and math.isfinite(field.offset)) or not field.factor
    ]
    seen: dict[tuple[str, int, str], str] = {}
    for field in fields:
        key = field.quantity, field.channel, field.time
        if key in seen:
            problems.append(f"{field.path} and {seen[key]} are both {field.quantity}, channel {field.channel}")
        seen[key] = field.path
    return tuple(problems)


def applied(fields: Sequence[Field], data: Any) -> Mapped:
    """Return the readings of an answer. A field that is missing or null is no problem; one in words unknown is."""
    readings: list[Reading] = []
    problems: list[str] = []
    taken: set[tuple[str | int, ...]] = set()
    for field in fields:
        for found in located(data, field.path):
            taken.add(found.steps)
            if found.value is None or len(readings) >= MAX_READINGS:
                continue
            number = _number(found.value, field.words)
            if number is None:
                problems.append(f"{field.path}: {found.value!r:.60} is no number")
                continue
            try:
                readings.append(_reading(field, number, _moment(data, field, found)))
            except ValueError as error:
                problems.append(f"{field.path}: {error}")
    return Mapped(readings, tuple(problems), taken)


def _reading(field: Field, number: float, moment: float | datetime | None) -> Reading:
    value = number * field.factor + field.offset
    if isinstance(moment, datetime):
        return Reading(field.quantity, value, field.channel, 0.0, moment)
    return Reading(field.quantity, value, field.channel, moment or 0.0)


def located(data: Any, path: str) -> Iterator[Located]:
    """Yield the values that a path leads to."""
    yield from _walk(data, tuple(path.split(".")), ())


def _walk(value: Any, names: tuple[str, ...], steps: tuple[str | int, ...]) -> Iterator[Located]:
    if not names:
        yield Located(steps, value)
        return
    name, rest = names[0], names[1:]
    choice = _CHOICE.fullmatch(name)
    for step, inner in _members(value):
        chosen = (
            isinstance(inner, Mapping) and str(inner.get(choice[1])) == choice[2]
            if choice
            else name in ("*", str(step))
        )
        if chosen:
            yield from _walk(inner, rest, (*steps, step))


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _number(value: Any, words: Mapping[str, float]) -> float | None:
    if isinstance(value, str):
        return words.get(value)
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None


def _moment(data: Any, field: Field, found: Located) -> float | datetime | None:
    """Return when a value was measured, or how long before reception (s). Raises ValueError when it is unreadable."""
    if not field.time:
        return None
    said = next((one.value for one in located(data, _beside(field, found))), None)
    if said is None:
        return None
    if field.time_form == "iso":
        when = datetime.fromisoformat(str(said))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    number = _number(said, {})
    if number is None or (field.time_form == "age_s" and number < 0):
        raise ValueError(f"{said!r:.60} is no time")
    if field.time_form == "age_s":
        return number
    seconds = number / 1000 if field.time_form == "epoch_ms" else number
    if not _EARLIEST_S <= seconds < _LATEST_S:
        raise ValueError(f"{said!r:.60} is no time")
    return datetime.fromtimestamp(seconds, UTC)


def _beside(field: Field, found: Located) -> str:
    """Return the path of the time of this very element: the steps taken, as far as both paths go together."""
    own, times = field.path.split("."), field.time.split(".")
    shared = next((at for at, (a, b) in enumerate(zip(own, times, strict=False)) if a != b), min(len(own), len(times)))
    return ".".join([*map(str, found.steps[:shared]), *times[shared:]])


def unmapped(data: Any, taken: set[tuple[str | int, ...]]) -> tuple[str, ...]:
    """Return the paths of the numbers and booleans that no field took; places in lists are `*`."""
    paths: dict[str, None] = {}
    for count, (steps, value) in enumerate(leaves(data)):
        if count >= MAX_FIELDS:
            break
        if isinstance(value, bool | int | float) and steps not in taken:
            paths[general(steps)] = None
    return tuple(paths)


def general(steps: Sequence[str | int]) -> str:
    """Return the path of a value whatever its place in lists."""
    return ".".join("*" if isinstance(step, int) else step for step in steps)


def leaves(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[Located]:
    """Yield every value that is no object and no list, to a depth of eight."""
    if isinstance(value, Mapping | list):
        if len(steps) < _MAX_DEPTH:
            for step, inner in _members(value):
                yield from leaves(inner, (*steps, step))
    else:
        yield Located(steps, value)
