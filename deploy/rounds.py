"""Rounds of work, one after the other, by a process that anybody may kill: of delivery, of provisioning."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from prometheus_client import Gauge

from store.pool import TRANSIENT

log = structlog.get_logger("samara")

_TICK_S: Final = 1.0
_LATE_AFTER_S: Final = 60.0


class Rounds:
    """Calls `work`, which returns whether there is more at once, and otherwise after a second.

    `role` is what waits for the database in the log, `undone` what could not be done when this process is of no use.
    """

    def __init__(self, work: Callable[[], Awaitable[bool]], succeeded: Gauge, *, role: str, undone: str) -> None:
        self._work = work
        self._succeeded = succeeded
        self._waits = f"{role} waits for the database"
        self._undone = undone
        self._succeeded_at = asyncio.get_running_loop().time()

    def why_not_ready(self) -> str:
        """Say why this process is of no use now; '' when it is."""
        silent_s = asyncio.get_running_loop().time() - self._succeeded_at
        return f"nothing could be {self._undone} for {silent_s:.0f} s" if silent_s > _LATE_AFTER_S else ""

    async def run(self) -> None:
        """Work until cancelled."""
        away = False
        while True:
            busy = False
            try:
                busy = await self._work()
            except TRANSIENT as error:
                if not away:
                    log.warning(self._waits, error=str(error) or type(error).__name__)
                away = True
            else:
                away = False
                self._succeeded_at = asyncio.get_running_loop().time()
                self._succeeded.set_to_current_time()
            if not busy:
                await asyncio.sleep(_TICK_S)
