"""The registry that every part of a process adds its series to, and that /metrics shows."""

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector


def new_registry() -> CollectorRegistry:
    """Return a registry with the process's own series: memory, CPU, open files, garbage collection.

    Not prometheus_client's global one: two applications of one process, or two tests, must not share counts.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
