"""What the embedded servers have in common: started on a free port, watched, stopped in order."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from signal import Signals
from types import TracebackType
from typing import Final, NamedTuple

from deploy.embedded.process import Child, EmbeddedServerError, Identity, free_port, spawn

_START_ATTEMPTS: Final = 10
_START_AGAIN_S: Final = 0.2


class Manner(NamedTuple):
    """How a server is started and stopped.

    `worth_another` are words of a failed start that another may mend: a port that was taken meanwhile, say. It is asked
    to stop by `ask`, then, after `stop_within_s`, by `insist`.
    """

    name: str
    log: str
    worth_another: tuple[str, ...]
    start_within_s: float
    ask: Signals
    insist: Signals
    stop_within_s: float


class EmbeddedServer:
    """One server of one directory. `directory` may be another once it is started."""

    def __init__(self, directory: Path, manner: Manner) -> None:
        self.directory = directory
        self.port = 0
        self._manner = manner
        self._cleanup = contextlib.ExitStack()
        self._child: Child | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._cleanup:
            await self._stop()

    @property
    def log_file(self) -> Path:
        """Return where the server writes what it has to say."""
        return self.directory / self._manner.log

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        return self._running().pid

    async def ended(self) -> int:
        """Return the server's exit code once it has ended, which it should not before we stop it."""
        return await self._running().wait()

    def _running(self) -> Child:
        if self._child is None:
            raise EmbeddedServerError(f"{self._manner.name} was not started")
        return self._child

    async def _stop(self) -> None:
        if self._child is not None:
            await self._child.stop(self._manner.ask, self._manner.insist, timeout_s=self._manner.stop_within_s)

    async def _serve(
        self,
        command: Callable[[int], Sequence[str | Path]],
        ready: Callable[[Child], Awaitable[None]],
        identity: Identity | None,
    ) -> int:
        """Start `command(port)` on a free port and return the port once it is `ready`; again where that may help."""
        manner = self._manner
        for attempt in range(1, _START_ATTEMPTS + 1):
            port = free_port()
            self._child = spawn(command(port), name=manner.name, log_file=self.log_file, identity=identity)
            try:
                await asyncio.wait_for(ready(self._child), manner.start_within_s)
            except EmbeddedServerError as error:
                if attempt == _START_ATTEMPTS or not any(said in str(error) for said in manner.worth_another):
                    raise
                await asyncio.sleep(_START_AGAIN_S)
            except BaseException:
                await self._stop()
                raise
            else:
                return port
        raise EmbeddedServerError(f"{manner.name} found no free port")
