"""Examples that come with a codec: what they say, and whether a result is what they expect. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from decoders.javascript.calls import Codec, CodecCall, CodecResult

WHEN_UNSAID: Final = datetime(2024, 1, 1, tzinfo=UTC)
_CLOSE: Final = 1e-9
_ANY_TIME: Final = "XXXX-XX-XXTXX:XX:XX.XXXZ"  # of a codec that says the present: Actility's catalogue writes it so


class Expected(NamedTuple):
    """What a codec should answer. A part that is None is not compared."""

    data: Any = None
    errors: tuple[str, ...] | None = None
    warnings: tuple[str, ...] | None = None
    normalized: Any = None


class Example(NamedTuple):
    """One uplink and the answer it should have."""

    name: str
    payload: bytes
    f_port: int
    expected: Expected
    received_at: datetime = WHEN_UNSAID
    variables: Mapping[str, str] = {}

    def call(self, codec: Codec, tenant_id: int) -> CodecCall:
        """Return the call that tries this example."""
        return CodecCall(tenant_id, codec, self.payload, self.f_port, self.received_at, self.variables)


class Verdict(NamedTuple):
    """Whether one example passes, and why not."""

    name: str
    passed: bool
    reason: str = ""


def judged(example: Example, result: CodecResult) -> Verdict:
    """Compare a result with what the example expects."""
    return Verdict(example.name, not (reason := _objection(example.expected, result)), reason)


def _objection(expected: Expected, result: CodecResult) -> str:
    if expected.errors:
        said = result.errors or ((result.detail,) if result.status == "thrown" else ())
        return "" if tuple(said) == expected.errors else f"expected errors {expected.errors!r}: {_told(result)}"
    if result.status != "data":
        return _told(result)
    if expected.warnings is not None and result.warnings != expected.warnings:
        return f"warnings {result.warnings!r}, expected {expected.warnings!r}"
    if expected.data is not None and (where := difference(expected.data, result.data, "data")):
        return where
    if expected.normalized is not None:
        return difference(_listed(expected.normalized), _listed(result.normalized), "normalized")
    return ""


def _listed(normalized: object) -> object:
    """Return normalized data as the list that one object alone stands for."""
    return [normalized] if isinstance(normalized, dict) else normalized


def _told(result: CodecResult) -> str:
    return f"{result.status}: {result.detail}" if result.detail else result.status


def difference(expected: object, found: object, path: str) -> str:
    """Say where two JSON values first differ, "" if they are equal.

    A member that is null is as one that is missing; numbers are equal to nine digits, moments to the millisecond.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        return _members(expected, found, path)
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{path}: {len(found)} elements, expected {len(expected)}"
        pairs = enumerate(zip(expected, found, strict=True))
        return next((said for place, (a, b) in pairs if (said := difference(a, b, f"{path}.{place}"))), "")
    return "" if _same(expected, found) else f"{path}: {found!r:.80}, expected {expected!r:.80}"


def _members(expected: Mapping[str, Any], found: Mapping[str, Any], path: str) -> str:
    names = [*expected, *(name for name in found if name not in expected)]
    pairs = ((f"{path}.{name}", expected.get(name), found.get(name)) for name in names)
    return next((said for at, a, b in pairs if (said := difference(a, b, at))), "")


def _same(expected: object, found: object) -> bool:
    numbers = isinstance(expected, int | float) and isinstance(found, int | float)
    if numbers and not isinstance(expected, bool) and not isinstance(found, bool):
        return math.isclose(float(expected), float(found), rel_tol=_CLOSE, abs_tol=_CLOSE)  # type: ignore[arg-type]
    if isinstance(expected, str) and isinstance(found, str):
        return expected in (found, _ANY_TIME) or _same_moment(expected, found)
    return type(expected) is type(found) and expected == found


def _same_moment(expected: str, found: str) -> bool:
    """Say whether two strings are one moment, to the millisecond: a JavaScript Date knows no more."""
    try:
        a, b = datetime.fromisoformat(expected), datetime.fromisoformat(found)
    except ValueError:
        return False
    if (a.tzinfo is None) != (b.tzinfo is None):
        return False
    return abs((a - b).total_seconds()) < 0.001


def said(value: object) -> tuple[str, ...] | None:
    """Return `errors` or `warnings` of an example's file as a tuple, None when it says nothing of them."""
    if value is None:
        return None
    return tuple(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else (str(value),)
