"""Time as an argument: the machine's, or one that a test moves."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What a simulator needs to know of time."""

    def now(self) -> datetime:
        """Return the time of day, timezone-aware."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""

    async def sleep(self, seconds: float) -> None:
        """Return after that long; at once when it is not positive."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the event loop's kind of seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep, letting others run even when there is nothing to wait for."""
        await asyncio.sleep(max(0.0, seconds))


async def pause(clock: Clock, stop: asyncio.Event, seconds: float) -> None:
    """Sleep, or return as soon as `stop` is set."""
    if stop.is_set():
        return
    tasks = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
