"""Logs: one form for ours (structlog) and for those of the libraries (logging), on the standard error."""

import logging
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_TRACEBACKS: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # a local variable may be a secret
)
# Libraries that tell of each request or packet: their warnings are enough.
_TALKATIVE: Final = ("aiohttp.access", "asyncio", "fontTools", "weasyprint")


def configure(form: Literal["console", "json"], level: str, stream: TextIO | None = None) -> None:
    """Send every log of this process to `stream` (the standard error), from `level` up.

    `json` writes one object a line, with `event`, `level`, `logger`, `timestamp` (ISO 8601, UTC).
    """
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_logger_name,
        structlog.processors.TimeStamper(fmt="iso" if form == "json" else "%H:%M:%S", utc=form == "json"),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_last_processors(form, colours=stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _add_logger_name(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Add `logger`: the name given to get_logger, or the library's."""
    del method
    record = event.get("_record")
    name = getattr(record or logger, "name", None)
    if name and name != "root":
        event["logger"] = name
    return event


def _last_processors(form: str, *, colours: bool) -> list[Processor]:
    if form == "json":
        return [_TRACEBACKS, structlog.processors.JSONRenderer(default=_as_text)]
    # Plain tracebacks: the rich ones show local variables, and one of these may be a secret.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colours, pad_event_to=0, exception_formatter=plain)]


def _as_text(value: Any) -> Any:
    """Return what JSON can hold for what it cannot."""
    return dict(value) if isinstance(value, Mapping) else str(value)
