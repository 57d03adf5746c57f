"""A worker's answer, read with distrust: a script chose every byte of it."""

from typing import Any, Final

import msgspec

from decoders.javascript.calls import CodecResult, Limits, Status
from decoders.javascript.wire import Answer

_MAX_SAID: Final = 20  # errors or warnings kept of one answer
_MAX_SAID_LENGTH: Final = 500
_STATUSES: Final[frozenset[str]] = frozenset(
    {"thrown", "too_large", "unloadable", "timeout", "memory", "killed", "unavailable"}
)


class _Output(msgspec.Struct):
    data: Any = None
    normalized: Any = None
    errors: Any = None
    warnings: Any = None


_DECODER: Final = msgspec.json.Decoder(_Output)


def result_of(answer: Answer, limits: Limits) -> CodecResult:
    """Return the result that an answer means."""
    status, text, cpu_us = answer.status, answer.text, answer.cpu_us
    if status != "data":
        known: Status = status if status in _STATUSES else "thrown"  # type: ignore[assignment]
        return CodecResult(known, detail=text[:_MAX_SAID_LENGTH], cpu_us=cpu_us)
    if len(text.encode(errors="surrogatepass")) > limits.output_bytes:
        return CodecResult("too_large", detail=f"an answer of more than {limits.output_bytes} bytes", cpu_us=cpu_us)
    try:
        output = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        return CodecResult("thrown", detail=f"its answer cannot be read: {error}", cpu_us=cpu_us)
    errors, warnings = _said(output.errors), _said(output.warnings)
    if errors:
        return CodecResult("refused", None, None, warnings, errors, "; ".join(errors)[:_MAX_SAID_LENGTH], cpu_us)
    if not isinstance(output.data, dict | list):
        return CodecResult("thrown", None, None, warnings, (), "its answer has no data", cpu_us)
    normalized = output.normalized if isinstance(output.normalized, dict | list) else None
    return CodecResult("data", output.data, normalized, warnings, (), "", cpu_us)


def _said(value: object) -> tuple[str, ...]:
    """Return errors or warnings as strings: a list by TS013, one string with some codecs."""
    if value is None or value in ("", [], {}, False):
        return ()
    several = value if isinstance(value, list) else [value]
    return tuple(
        (one if isinstance(one, str) else msgspec.json.encode(one).decode())[:_MAX_SAID_LENGTH]
        for one in several[:_MAX_SAID]
    )
