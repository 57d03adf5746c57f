"""The series that a rule reads, of the past, for its backtest: some points after some others, within bounds."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from itertools import repeat
from typing import Final, NamedTuple, TypeVar

import asyncpg

from alerting.rules import Definition, RuleError
from alerting.rules._base import Series
from alerting.states import Sample
from store.alerting.history import NOTHING, History, histories
from store.alerting.subjects import Place

MAX_SAMPLES: Final = 3_000_000
READ_AT_ONCE: Final = 10  # points: their samples are in memory, and those of the next ones

_Portion = TypeVar("_Portion")
_Found = TypeVar("_Found")


class Read(NamedTuple):
    """One point with the series of its rule, in the order of the rule's."""

    place: Place
    parts: list[History]

    def samples(self) -> Iterable[Sample]:
        """Return the samples of all series, in the order of time."""
        parts = [zip(one.at_s, repeat(number), one.readings, strict=False) for number, one in enumerate(self.parts)]
        return parts[0] if len(parts) == 1 else heapq.merge(*parts)


class Past:
    """Reads what a rule's series were from `since` to `until`. `count` is the number of samples read."""

    def __init__(
        self, connection: asyncpg.Connection, definition: Definition, since: datetime, until: datetime
    ) -> None:
        self.definition = definition
        self.count = 0
        self._connection = connection
        self._since, self._until = since, until
        self._named: dict[Series, History] = {}

    async def portions(self, around: Sequence[Place]) -> AsyncIterator[list[Read]]:
        """Read the series of all points, a few at a time. Raises RuleError when there are too many samples."""
        for begin in range(0, len(around), READ_AT_ONCE):
            places = around[begin : begin + READ_AT_ONCE]
            ids = [place.point_id for place in places]
            columns = [await self._series(one, ids) for one in self.definition.series()]
            yield [Read(place, [column.get(place.point_id, NOTHING) for column in columns]) for place in places]

    async def _series(self, series: Series, point_ids: list[int]) -> dict[int, History]:
        """Return one series of the rule at each point; one that the rule names is the same for all, and read once."""
        if series.point_id is None:
            return await self._histories(series, point_ids)
        if series not in self._named:
            read = await self._histories(series, [series.point_id])
            self._named[series] = read.get(series.point_id, NOTHING)
        return dict.fromkeys(point_ids, self._named[series])

    async def _histories(self, series: Series, point_ids: list[int]) -> dict[int, History]:
        found = await histories(
            self._connection, point_ids, series.quantity, series.channel, since=self._since, until=self._until
        )
        self.count += sum(len(one.at_s) for one in found.values())
        if self.count > MAX_SAMPLES:
            raise RuleError(f"more than {MAX_SAMPLES} samples: backtest fewer points or days")
        return found


async def while_reading(
    portions: AsyncIterator[_Portion], evaluated: Callable[[_Portion], _Found]
) -> AsyncIterator[_Found]:
    """Evaluate one portion beside the event loop while the next one is read; yield what each came to."""
    turn: asyncio.Task[_Found] | None = None
    try:
        async for portion in portions:
            if turn is not None:
                yield await turn
            turn = asyncio.create_task(asyncio.to_thread(evaluated, portion))
        if turn is not None:
            yield await turn
    finally:
        if turn is not None:
            turn.cancel()
