"""The demonstration's past, made in a process of its own, so that what is shown meanwhile does not wait for it."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from simulators.demo.scenario import Message, Scenario, history

_PART: Final = timedelta(days=5)


async def past(scenario: Scenario, start: datetime, end: datetime) -> AsyncIterator[list[Message]]:
    """Yield the messages of [start, end) in parts, in order of time; the next part is made while one is published."""
    loop, fresh = asyncio.get_running_loop(), replace(scenario)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        coming: asyncio.Future[list[Message]] | None = None
        while start < end or coming is not None:
            ready, coming = coming, None
            if start < end:
                until = min(end, start + _PART)
                coming = loop.run_in_executor(pool, _messages, fresh, start, until)
                start = until
            if ready is not None:
                yield await ready


@lru_cache(maxsize=1)
def _kept(scenario: Scenario) -> Scenario:
    """Return the scenario that came first: it remembers what it computed of the days before."""
    return scenario


def _messages(scenario: Scenario, start: datetime, end: datetime) -> list[Message]:
    return list(history(_kept(scenario), start, end))
