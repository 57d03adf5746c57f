"""Calls that wait for a worker: one line per lane, tenants in turn."""

from collections import OrderedDict, deque
from typing import Final, NamedTuple, Protocol

from decoders.javascript.calls import CodecCall, CodecResult
from decoders.javascript.standing import Standing

BATCH_CALLS: Final = 50
BATCH_US: Final = 10_000.0


class Order(Protocol):
    """Where results go. Nobody waits for those of an abandoned one."""

    is_abandoned: bool

    def deliver(self, place: int, result: CodecResult) -> None:
        """Take the result of the call at `place`."""


class Waiting(NamedTuple):
    """A call, the order it is part of, and the standing of its codec."""

    call: CodecCall
    order: Order
    place: int
    standing: Standing


class Line:
    """Waiting calls, in order within a tenant, tenants in turn."""

    __slots__ = ("_by_tenant", "_count")

    def __init__(self) -> None:
        self._by_tenant: Final[OrderedDict[int, deque[Waiting]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, waiting: Waiting) -> None:
        """Put a call behind those of its tenant."""
        line = self._by_tenant.get(waiting.call.tenant_id)
        if line is None:
            line = self._by_tenant[waiting.call.tenant_id] = deque()
        line.append(waiting)
        self._count += 1

    def take(self) -> list[Waiting]:
        """Take the next batch: one call of each tenant in turn, BATCH_CALLS at most, about BATCH_US of work."""
        batch: list[Waiting] = []
        expected_us = 0.0
        while self._count and len(batch) < BATCH_CALLS and expected_us < BATCH_US:
            tenant_id, line = self._by_tenant.popitem(last=False)
            waiting = line.popleft()
            self._count -= 1
            if line:
                self._by_tenant[tenant_id] = line
            if waiting.order.is_abandoned:
                continue
            batch.append(waiting)
            expected_us += waiting.standing.mean_us
        return batch
