"""One place for a worker process: has batches answered, replaces the process when a script has taken it down."""

import asyncio
from collections.abc import Callable
from typing import Final

from decoders.javascript.calls import Limits
from decoders.javascript.process import WorkerDiedError, WorkerProcess, WorkerStartError
from decoders.javascript.queueing import Waiting
from decoders.javascript.wire import Answer

Settle = Callable[[Waiting, Answer], None]

_MAX_DEATHS: Final = 3  # in a row, before a call is begun
_START_AGAIN_S: Final = 1.0


class Server:
    """At most one worker process; it starts with the first batch. `settle` is called with each call's answer."""

    def __init__(self, limits: Limits, settle: Settle, niceness: int = 0) -> None:
        self._limits: Final = limits
        self._niceness: Final = niceness
        self._settle: Final = settle
        self._worker: WorkerProcess | None = None

    @property
    def worker(self) -> WorkerProcess | None:
        """The process, while there is one."""
        return self._worker

    async def run(self, batch: list[Waiting]) -> None:
        """Have every call of a batch settled."""
        pieces, deaths = [batch], 0
        while pieces:
            piece = pieces.pop()
            try:
                self._worker = self._worker or await WorkerProcess.start(self._limits, niceness=self._niceness)
                answers = await self._worker.exchange([waiting.call for waiting in piece])
            except WorkerStartError as error:
                pieces.append(piece)
                self._all("unavailable", str(error), pieces)
                await asyncio.sleep(_START_AGAIN_S)
                return
            except WorkerDiedError as error:
                await self.end()
                deaths = deaths + 1 if error.place is None else 0
                if deaths >= _MAX_DEATHS:
                    self._all("unavailable", str(error), [piece])
                else:
                    pieces += self._rest(piece, error)
                continue
            for waiting, answer in zip(piece, answers, strict=True):
                self._settle(waiting, answer)

    async def end(self) -> None:
        """End the process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.end()

    def _rest(self, piece: list[Waiting], error: WorkerDiedError) -> list[list[Waiting]]:
        """Settle the call that the worker died of; return the others, alone each, the first last."""
        if error.place is None:
            return [piece]
        cpu_us = int((self._limits.decode_cpu_s + self._limits.grace_s) * 1e6)
        answer = Answer("unavailable", str(error), 0) if error.starved else Answer("killed", str(error), cpu_us)
        self._settle(piece[error.place], answer)
        return [[waiting] for place, waiting in reversed(list(enumerate(piece))) if place != error.place]

    def _all(self, status: str, detail: str, pieces: list[list[Waiting]]) -> None:
        for piece in pieces:
            for waiting in piece:
                self._settle(waiting, Answer(status, detail, 0))
