"""One worker process, seen from the parent: start it, exchange a batch, end it."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from decoders.javascript import wire
from decoders.javascript.calls import CodecCall, Limits
from decoders.javascript.wire import Answer, Batch, Call, Hello
from domain.errors import SamaraError

_ROOT: Final = str(Path(__file__).parents[2])
_BOOT: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from decoders.javascript.worker import main; main(sys.argv[2:])"
)
_START_S: Final = 20.0
_LOOK_S: Final = 0.050
_STARVED_S: Final = 5.0
_MAX_SOURCES_BYTES: Final = 32 * 1024 * 1024


class WorkerStartError(SamaraError):
    """No worker process for JavaScript codecs could be started."""


class WorkerDiedError(SamaraError):
    """The worker process ended, or was ended, in the middle of a batch.

    `place` is the call that it was at, None when it had begun none. `starved` is true where the machine gave it no
    CPU time: that is not the script's fault.
    """

    def __init__(self, place: int | None, detail: str, *, starved: bool = False) -> None:
        super().__init__(detail)
        self.place: Final = place
        self.starved: Final = starved


class WorkerProcess:
    """A started worker. `measures` are those of its sandbox that took (`lockdown.py`)."""

    def __init__(self, process: Process, handle: int, progress: int, limits: Limits) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process: Final = process
        self._input: Final = process.stdin
        self._output: Final = process.stdout
        self._progress: Final = progress
        self._handle: Final = handle
        self._limits: Final = limits
        self._held: Final[set[str]] = set()
        self._held_bytes = 0
        self._begun = 0
        self._asked = 0
        self._phase = wire.DECODING
        self._encoder: Final = msgspec.msgpack.Encoder()
        self._answers: Final = msgspec.msgpack.Decoder(list[Answer])
        self.measures: tuple[str, ...] = ()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @classmethod
    async def start(cls, limits: Limits, *, niceness: int = 0, python: str = sys.executable) -> Self:
        """Start a worker and wait until it has locked itself down. Raises WorkerStartError."""
        progress, theirs = os.pipe()
        os.set_blocking(progress, False)
        try:
            process = await _spawn(theirs, limits, niceness, python)
            handle = os.pidfd_open(process.pid)  # ProcessLookupError when it has ended already
        except OSError as error:
            os.close(progress)
            raise WorkerStartError(str(error)) from error
        finally:
            os.close(theirs)
        worker = cls(process, handle, progress, limits)
        try:
            async with asyncio.timeout(_START_S):
                worker.measures = tuple(msgspec.msgpack.decode(await worker._read(), type=Hello).measures)
        except (TimeoutError, EOFError, ConnectionError, msgspec.DecodeError) as error:
            await worker.end()
            raise WorkerStartError(f"it does not start: {type(error).__name__} {error}") from error
        worker._look()  # its rehearsal
        return worker

    async def exchange(self, calls: Sequence[CodecCall]) -> list[Answer]:
        """Return the answer to each call. Raises WorkerDiedError; the worker is then of no further use."""
        self._begun, self._asked = 0, len(calls)
        reading = asyncio.ensure_future(self._read())
        try:
            self._input.write(wire.frame(self._encoder.encode(self._batch(calls))))
            await self._answered(reading)
            answers = self._answers.decode(reading.result())
        except (EOFError, ConnectionError, msgspec.DecodeError) as error:
            raise await self._died() from error
        finally:
            reading.cancel()
        self._look()  # so that the next batch starts with an empty pipe
        if len(answers) != len(calls):
            raise WorkerDiedError(None, f"{len(answers)} answers to {len(calls)} calls")
        return answers

    async def end(self) -> None:
        """End the process, whatever it is doing, and wait for it."""
        self._kill()
        self._input.close()
        await self._process.wait()
        os.close(self._progress)
        os.close(self._handle)

    def _batch(self, calls: Sequence[CodecCall]) -> Batch:
        sources = {call.codec.sha256: call.codec.source for call in calls if call.codec.sha256 not in self._held}
        size_bytes = sum(map(len, sources.values()))
        forget = self._held_bytes + size_bytes > _MAX_SOURCES_BYTES
        if forget:
            self._held.clear()
            self._held_bytes = 0
            sources = {call.codec.sha256: call.codec.source for call in calls}
            size_bytes = sum(map(len, sources.values()))
        self._held.update(sources)
        self._held_bytes += size_bytes
        return Batch([_wired(call) for call in calls], sources, forget)

    async def _answered(self, reading: "asyncio.Future[bytes]") -> None:
        """Wait for the answers. Raises WorkerDiedError when the worker stands still in one call for too long.

        A call that has not had its CPU time yet is given more of the clock's: the machine is busy, not the script.
        """
        loop = asyncio.get_running_loop()
        moved_at, cpu_then_s = loop.time(), self._cpu_s()
        while not (await asyncio.wait((reading,), timeout=_LOOK_S))[0]:
            now, cpu_now_s = loop.time(), self._cpu_s()
            if self._look():
                moved_at, cpu_then_s = now, cpu_now_s
                continue
            cpu_limit_s = self._cpu_limit_s()
            starved = self._begun == 0 or cpu_now_s - cpu_then_s < cpu_limit_s
            if now - moved_at > (_STARVED_S if starved else cpu_limit_s + self._limits.grace_s):
                detail = "it was given no CPU time" if starved else "it did not answer in time"
                raise WorkerDiedError(self._place(), detail, starved=starved)

    def _cpu_limit_s(self) -> float:
        """Return the CPU time of the call it is at."""
        load_s = self._limits.load_cpu_s if self._phase == wire.LOADING else 0.0
        return load_s + self._limits.decode_cpu_s

    def _cpu_s(self) -> float:
        """Return the CPU time of the process: the clock id of another process is made of its number (Linux)."""
        try:
            return time.clock_gettime((~self._process.pid << 3) | 2)
        except OSError:  # it has ended
            return 0.0

    def _kill(self) -> None:
        """Kill by handle, not by number: asyncio reaps in its own time, and `Process.kill` would reap before it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def _place(self) -> int | None:
        return self._begun - 1 if 0 < self._begun <= self._asked else None

    def _look(self) -> bool:
        """Say whether calls were begun since the last look, and remember how many in all."""
        try:
            progress = os.read(self._progress, 65536)
        except BlockingIOError:
            return False
        self._begun += len(progress)
        self._phase = progress[-1:] or self._phase
        return bool(progress)

    async def _died(self) -> WorkerDiedError:
        self._kill()
        code = await self._process.wait()
        self._look()
        return WorkerDiedError(self._place(), f"it ended with {code}")

    async def _read(self) -> bytes:
        (length,) = wire.HEADER.unpack(await self._output.readexactly(wire.HEADER.size))
        if length > wire.MAX_FRAME_BYTES:
            raise ConnectionError(f"a frame of {length} bytes")
        return await self._output.readexactly(length)


async def _spawn(progress: int, limits: Limits, niceness: int, python: str) -> Process:
    """Start `python -I` with an empty environment. What it complains of while starting is on our standard error."""
    arguments = msgspec.json.encode(list(limits)).decode()
    return await asyncio.create_subprocess_exec(
        python,
        "-I",
        "-c",
        _BOOT,
        _ROOT,
        str(progress),
        arguments,
        str(niceness),
        stdin=PIPE,
        stdout=PIPE,
        pass_fds=(progress,),
        env={"TZ": "UTC"},
        cwd="/",
        start_new_session=True,
    )


def _wired(call: CodecCall) -> Call:
    return Call(
        call.tenant_id,
        call.codec.sha256,
        call.codec.fresh,
        call.payload,
        call.f_port,
        int(call.received_at.timestamp() * 1000),
        {**call.variables},
        call.ask,
        _command(call),
    )


def _command(call: CodecCall) -> str:
    return "null" if call.command is None else msgspec.json.encode(call.command).decode()
