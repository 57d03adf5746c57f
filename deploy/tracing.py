"""OpenTelemetry: one span a batch of ingest, from the broker to the commit, sent to a collector by OTLP over HTTP.

Optional (`pip install samara[tracing]`) and off by default: its packages are not imported then. A batch begins when the
oldest of its messages arrived. It is linked to the requests that brought messages with a trace of their own
(`traceparent`, W3C Trace Context): many of them end in one batch, so none is its parent.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final

from deploy.settings import TracingSettings
from domain.errors import ConfigurationError
from ingest.messages import Message
from ingest.tracing import UNTRACED, Tracing

_MOST_LINKS: Final = 128  # what OpenTelemetry keeps of a span
_SEND_WITHIN_S: Final = 10
_FLUSH_WITHIN_MS: Final = 2_000


@contextmanager
def tracing(settings: TracingSettings, worker: str) -> Iterator[Tracing]:
    """Give what ingest tells; on leaving, what was told and not sent yet is sent.

    Raises ConfigurationError when a collector is named and the packages are not installed.
    """
    if not settings.endpoint:
        yield UNTRACED
        return
    try:
        exporting = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        resources = import_module("opentelemetry.sdk.resources")
        sdk = import_module("opentelemetry.sdk.trace")
        processing = import_module("opentelemetry.sdk.trace.export")
        sampling = import_module("opentelemetry.sdk.trace.sampling")
    except ImportError:
        raise ConfigurationError("tracing.endpoint is set: install the extra, pip install 'samara[tracing]'") from None
    resource = resources.Resource.create(
        {"service.name": "samara-ingest", "service.version": version("samara"), "service.instance.id": worker}
    )
    provider = sdk.TracerProvider(
        resource=resource, sampler=sampling.TraceIdRatioBased(settings.ratio), shutdown_on_exit=False
    )
    exporter = exporting.OTLPSpanExporter(endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces", timeout=_SEND_WITHIN_S)
    provider.add_span_processor(processing.BatchSpanProcessor(exporter))
    try:
        yield Traced(provider.get_tracer("samara"))
    finally:
        provider.force_flush(_FLUSH_WITHIN_MS)
        provider.shutdown()


class Traced:
    """What ingest tells, as spans. `tracer` is OpenTelemetry's."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._api = import_module("opentelemetry.trace")
        self._context = import_module("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()

    @contextmanager
    def batch(self, messages: Sequence[Message]) -> Iterator[None]:
        """Tell a batch: from the arrival of its first message until it is acknowledged."""
        oldest = min(message.arrived_at for message in messages)
        with self._tracer.start_as_current_span(
            "ingest batch",
            kind=self._api.SpanKind.CONSUMER,
            start_time=int(oldest.timestamp() * 1e9),
            links=self._links(messages),
            attributes={
                "messaging.batch.message_count": len(messages),
                "messaging.destination.name": ",".join(sorted({message.origin.source for message in messages})),
                "samara.bytes": sum(len(message.body) for message in messages),
            },
        ):
            yield

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Tell one step of the batch that the same task told."""
        with self._tracer.start_as_current_span(name):
            yield

    def _links(self, messages: Sequence[Message]) -> list[Any]:
        parents = list(dict.fromkeys(message.parent for message in messages if message.parent))[:_MOST_LINKS]
        found = [self._api.get_current_span(self._context.extract({"traceparent": one})) for one in parents]
        contexts = [span.get_span_context() for span in found]
        return [self._api.Link(context) for context in contexts if context.is_valid]
