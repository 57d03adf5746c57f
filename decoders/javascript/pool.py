"""The parent's side: calls in, results out, whatever the scripts do.

    async with CodecPool(on_quarantine=tell) as pool:
        results = await pool.decode(calls)

One worker serves the lane of the quick alone (`standing.py`), the other the slow, and helps the first when more
than a batch waits there. With `workers=1` one serves both in turn. A worker that dies or stands still is replaced;
the call it was at is "killed", the rest of its batch is decoded again, one by one.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Self

from decoders.javascript.calls import CodecCall, CodecResult, Limits, Quarantine, Status
from decoders.javascript.engine import check_engine
from decoders.javascript.output import result_of
from decoders.javascript.queueing import BATCH_CALLS, Line, Waiting
from decoders.javascript.server import Server
from decoders.javascript.standing import (
    MAX_KILLS,
    MAX_STOPPED,
    TENANT_BUDGET_US,
    TENANT_BUDGET_US_PER_S,
    Budget,
    Lane,
    Standing,
)
from decoders.javascript.wire import Answer

_MAX_STANDINGS: Final = 10_000
_REFUSALS: Final[dict[Status, str]] = {
    "too_large": "the script is larger than its limit",
    "quarantined": "this codec version killed its worker, or had to be stopped, too often",
    "over_budget": "this codec has used up its CPU time for now",
}
_NICENESS: Final = 10  # of the worker of the slow: the others go first where processors are few
_LANES_OF: Final[dict[int, tuple[tuple[Lane, ...], ...]]] = {
    1: (("slow", "quick"),),
    2: (("quick",), ("slow", "quick")),
}


_LATE: Final = CodecResult("unavailable", detail="not decoded in time: others, or this codec, took too long")


class _Order:
    """The calls of one `decode`, and their results as they come."""

    def __init__(self, count: int) -> None:
        self._results: Final[list[CodecResult | None]] = [None] * count
        self._missing = count
        self.is_abandoned = False
        self.done: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()

    def deliver(self, place: int, result: CodecResult) -> None:
        if self._results[place] is None:
            self._results[place] = result
            self._missing -= 1
            if not self._missing and not self.done.done():
                self.done.set_result(None)

    def results(self) -> list[CodecResult]:
        return [_LATE if result is None else result for result in self._results]


class CodecPool:
    """One or two worker processes. Raises ConfigurationError at once when the engine is missing or shadowed.

    `on_quarantine` is called once for each codec version that is put away; `quarantined` are those put away
    before. `measures` says, once started, which measures of the sandbox the platform has.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        limits: Limits = Limits(),  # noqa: B008  # immutable
        clock: Callable[[], float] = time.monotonic,
        on_quarantine: Callable[[Quarantine], None] = lambda _: None,
        quarantined: Iterable[tuple[int, str]] = (),
    ) -> None:
        check_engine()
        self._limits: Final = limits
        self._clock: Final = clock
        self._on_quarantine: Final = on_quarantine
        now_s = clock()
        self._standings: Final[OrderedDict[tuple[int, str], Standing]] = OrderedDict(
            (key, Standing(now_s, kills=MAX_KILLS)) for key in quarantined
        )
        self._budgets: Final[dict[int, Budget]] = {}
        self._lines: Final[dict[Lane, Line]] = {"quick": Line(), "slow": Line()}
        self._more: Final = asyncio.Condition()
        self._lanes: Final = _LANES_OF[workers]
        self._serving: Final[list[asyncio.Task[None]]] = []
        self.measures: tuple[str, ...] = ()
        self.kills = 0

    async def __aenter__(self) -> Self:
        """Start serving; the worker processes start with their first calls."""
        self._serving.extend(asyncio.create_task(self._serve(lanes)) for lanes in self._lanes)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the worker processes. Calls that wait are not answered: cancel `decode` first."""
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        self._serving.clear()

    async def decode(self, calls: Sequence[CodecCall], within_s: float | None = None) -> list[CodecResult]:
        """Return the result of each call, in order. Raises nothing for what a script does.

        What has no result `within_s` seconds later is "unavailable", and not run if it still waits its turn.
        """
        if not calls:
            return []
        order = _Order(len(calls))
        now_s = self._clock()
        for place, call in enumerate(calls):
            standing = self._standing(call, now_s)
            refusal = self._refusal(call, standing, now_s)
            if refusal is None:
                self._lines[standing.lane].add(Waiting(call, order, place, standing))
            else:
                order.deliver(place, CodecResult(refusal, detail=_REFUSALS[refusal]))
        async with self._more:
            self._more.notify_all()
        try:
            ended, _ = await asyncio.wait(
                (order.done, *self._serving), timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            order.is_abandoned = True
        for one in ended:
            one.result()  # a serving task ends by a defect alone
        return order.results()

    def release(self, tenant_id: int, sha256: str) -> None:
        """Run a quarantined codec version again, on probation."""
        self._standings.pop((tenant_id, sha256), None)

    def _standing(self, call: CodecCall, now_s: float) -> Standing:
        key = call.tenant_id, call.codec.sha256
        standing = self._standings.get(key)
        if standing is None:
            standing = self._standings[key] = Standing(now_s, self._budget(call.tenant_id, now_s))
            self._bound_standings()
        return standing

    def _budget(self, tenant_id: int, now_s: float) -> Budget:
        if len(self._budgets) > _MAX_STANDINGS:
            self._budgets.clear()
        if tenant_id not in self._budgets:
            self._budgets[tenant_id] = Budget(now_s, TENANT_BUDGET_US, TENANT_BUDGET_US_PER_S)
        return self._budgets[tenant_id]

    def _bound_standings(self) -> None:
        """Forget the oldest standing that is no quarantine: its codec is on probation again."""
        if len(self._standings) > _MAX_STANDINGS:
            oldest = next((key for key, known in self._standings.items() if not known.quarantined), None)
            if oldest is not None:
                del self._standings[oldest]

    def _refusal(self, call: CodecCall, standing: Standing, now_s: float) -> Status | None:
        if len(call.codec.source) > self._limits.script_bytes:
            return "too_large"
        return standing.refusal(now_s)

    async def _serve(self, lanes: tuple[Lane, ...]) -> None:
        """Run batches of these lanes in one worker process, for ever."""
        server = Server(self._limits, self._settle, _NICENESS if len(self._lanes) > 1 and "slow" in lanes else 0)
        try:
            while True:
                batch = await self._next(lanes)
                lanes = (*lanes[1:], lanes[0])
                await server.run(batch)
                if server.worker is not None:
                    self.measures = server.worker.measures
        finally:
            await server.end()

    async def _next(self, lanes: tuple[Lane, ...]) -> list[Waiting]:
        async with self._more:
            while True:
                for lane in lanes:
                    if len(self._lines[lane]) > self._left_alone(lane, lanes) and (batch := self._lines[lane].take()):
                        return batch
                await self._more.wait()

    def _left_alone(self, lane: Lane, lanes: tuple[Lane, ...]) -> int:
        """Return how many calls may wait for the lane's own worker before this one helps."""
        return BATCH_CALLS if len(self._lanes) > 1 and lane == "quick" and len(lanes) > 1 else 0

    def _settle(self, waiting: Waiting, answer: Answer) -> None:
        """Deliver an answer, and note what it says of the codec."""
        result = result_of(answer, self._limits)
        call, standing = waiting.call, waiting.standing
        was_quarantined = standing.quarantined
        standing.settle(result.status, result.cpu_us)
        if result.status == "killed":
            self.kills += 1
        if standing.quarantined and not was_quarantined:
            detail = f"{result.status}: {result.detail}"
            if standing.stopped >= MAX_STOPPED:
                detail = f"stopped {standing.stopped} times in a row; the last, {detail}"
            self._on_quarantine(Quarantine(call.tenant_id, call.codec.sha256, standing.kills, detail))
        waiting.order.deliver(waiting.place, result)
