"""Traces of ingest, as a collector of OpenTelemetry receives them."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from ingest_support import declare
from prometheus_client import CollectorRegistry

from deploy.settings import TracingSettings
from deploy.tracing import tracing
from ingest.runner import Ingest
from ingest.settings import IngestSettings
from ingest.tracing import UNTRACED

proto = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="OpenTelemetry: pip install samara[tracing]"
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
EUI = "70b3d5e75e000001"


class Collector:
    """An OTLP receiver: what it was sent, span by span."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.endpoint = ""

    async def take(self, request: web.Request) -> web.Response:
        told = proto.ExportTraceServiceRequest.FromString(await request.read())
        for one in told.resource_spans:
            self.resources.append({pair.key: pair.value.string_value for pair in one.resource.attributes})
            self.spans += [span for scope in one.scope_spans for span in scope.spans]
        return web.Response(
            body=proto.ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    one = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", one.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


def uplink(number: int) -> bytes:
    return json.dumps({
        "deduplicationId": f"00000000-0000-4000-8000-{number:012}", "time": "2026-03-01T10:00:00Z",
        "deviceInfo": {"devEui": EUI}, "devAddr": "01020304", "fCnt": number, "fPort": 1, "data": "AA==",
        "txInfo": {"frequency": 868100000}, "rxInfo": [],
    }).encode()  # fmt: skip


async def test_a_batch_is_told_with_its_steps_and_the_requests_that_made_it(
    collector: Collector, database: str, tmp_path: Path
) -> None:
    await declare(database, {EUI: None})
    began_ns = datetime.now(UTC).timestamp() * 1e9
    # Leaving sends what is left, in the same thread: the collector must go on meanwhile.
    telling = tracing(TracingSettings(endpoint=collector.endpoint), "one")
    traced = telling.__enter__()
    ingest = Ingest(
        IngestSettings(),
        dsn=database,
        folder=tmp_path,
        worker="one",
        metrics_registry=CollectorRegistry(),
        clock=lambda: datetime.now(UTC),
        randomness=random.Random(1),
        tracing=traced,
    )
    async with ingest:
        running = asyncio.create_task(ingest.run())
        deliver, where = ingest.pipeline.deliver, "application/1/device/a/event/up"
        parent = f"00-{TRACE}-{SPAN}-01"
        await asyncio.gather(
            deliver("lns", "chirpstack", where, uplink(1), parent),
            deliver("lns", "chirpstack", where, uplink(2), parent),
            deliver("lns", "chirpstack", where, uplink(3), "nonsense"),
        )
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await asyncio.to_thread(telling.__exit__, None, None, None)
    batches = [span for span in collector.spans if span.name == "ingest batch"]
    assert sum(_attribute(span, "messaging.batch.message_count").int_value for span in batches) == 3
    links = [(link.trace_id.hex(), link.span_id.hex()) for span in batches for link in span.links]
    assert set(links) == {(TRACE, SPAN)}
    first = batches[0]
    steps = {span.name: span for span in collector.spans if span.parent_span_id == first.span_id}
    assert steps.keys() == {"understand", "write"}
    assert began_ns < first.start_time_unix_nano <= steps["understand"].start_time_unix_nano
    assert steps["understand"].end_time_unix_nano <= steps["write"].start_time_unix_nano
    assert steps["write"].end_time_unix_nano <= first.end_time_unix_nano
    assert collector.resources[0]["service.instance.id"] == "one"


def _attribute(span: Any, name: str) -> Any:
    return next(pair.value for pair in span.attributes if pair.key == name)


def test_off_costs_nothing_and_imports_nothing() -> None:
    with tracing(TracingSettings(), "one") as traced:
        assert traced is UNTRACED
    said = "import sys, deploy.roles; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
