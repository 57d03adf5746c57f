"""Counts and delays of requests, for Prometheus. Labels come from the routes declared, never from a request."""

import time
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_METHODS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST, hdrs.METH_OPTIONS})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The API's own series in a registry. Create one per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Counter(
            "samara_api_requests", "Requests answered", ["method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "samara_api_request_seconds", "Time to answer a request", ["route"], buckets=_BUCKETS, registry=registry
        )
        self.live_streams = Gauge("samara_api_live_streams", "Live streams open now", registry=registry)


METRICS: Final = web.AppKey("metrics", Metrics)


def route_of(request: web.Request) -> str:
    """Return the pattern of the route that answers, `unmatched` if there is none."""
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time every answer. The innermost middlewares have made a response of every failure."""
    metrics = request.app[METRICS]
    route = route_of(request)
    method = request.method if request.method in _METHODS else "other"
    began = time.perf_counter()
    answer = await handler(request)
    metrics.requests.labels(method, route, str(answer.status)).inc()
    if answer.content_type != "text/event-stream":  # a stream lasts as long as its reader
        metrics.seconds.labels(route).observe(time.perf_counter() - began)
    return answer
