"""A server that lives and dies with this process: one owner a directory, no orphan, whatever kills us.

Linux only: the kernel tells the child of our death (PR_SET_PDEATHSIG) and us of its own (pidfd).
"""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import SamaraError

_PR_SET_PDEATHSIG: Final = 1
_LOG_LIMIT_BYTES: Final = 10 * 1024 * 1024
_KILL_TIMEOUT_S: Final = 2.0


class AlreadyRunningError(SamaraError):
    """Another Samara runs in this directory; stop it first, or set data_dir to another."""


class EmbeddedServerError(SamaraError):
    """An embedded server did not start, or stopped by itself."""


class Identity(NamedTuple):
    """The user and group ids that a server runs as."""

    uid: int
    gid: int


@contextlib.contextmanager
def sole_owner(directory: Path) -> Iterator[None]:
    """Hold `directory` for this process alone, until it ends, however it ends.

    Raises AlreadyRunningError when another process holds it. The lock is the kernel's (flock), so there is
    none to clean after a crash; it is not inherited by the servers started inside.
    """
    with (directory / "lock").open("w", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"another Samara runs in {directory}; stop it first, or set data_dir to another"
            ) from None
        yield


def is_owned(directory: Path) -> bool:
    """Say whether a process, this one or another, holds `directory` now."""
    try:
        with (directory / "lock").open("r", encoding="ascii") as asked:
            fcntl.flock(asked, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def free_port() -> int:
    """Return a TCP port that is free on the loopback now. Another process may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Child:
    """A running server process. Built by `spawn`."""

    def __init__(self, popen: subprocess.Popen[bytes], name: str, log_file: Path) -> None:
        self._popen = popen
        self.name = name
        self.log_file = log_file

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._popen.pid

    def require_alive(self) -> None:
        """Raise EmbeddedServerError, with what the server said last, if it has ended."""
        code = self._popen.poll()
        if code is not None:
            said = "\n".join(_tail(self.log_file))
            raise EmbeddedServerError(f"{self.name} ended with code {code}; {self.log_file} says:\n{said}")

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        if self._popen.poll() is None:
            await process_end(self.pid)
        return self._popen.wait()

    async def stop(self, ask: signal.Signals, insist: signal.Signals, *, timeout_s: float) -> None:
        """Ask it to stop; insist after `timeout_s`; end with SIGKILL if even that is not heard."""
        for sent, patience_s in ((ask, timeout_s), (insist, _KILL_TIMEOUT_S), (signal.SIGKILL, _KILL_TIMEOUT_S)):
            if self._popen.poll() is not None:
                return
            self._popen.send_signal(sent)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), patience_s)
        self._popen.wait(_KILL_TIMEOUT_S)


def spawn(command: Sequence[str | Path], *, name: str, log_file: Path, identity: Identity | None) -> Child:
    """Start a server that hears SIGINT when we die, in a process group of its own, its output in `log_file`.

    In its own group, a terminal's Ctrl-C does not reach it: we stop it, in order. To be called from the thread
    that lives as long as the server must (the kernel counts the death of that thread as ours).
    """
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
    with log_file.open("ab") as log:
        popen = subprocess.Popen(  # noqa: S603 - the commands are this package's own
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            process_group=0,
            user=None if identity is None else identity.uid,
            group=None if identity is None else identity.gid,
            extra_groups=None if identity is None else [],
            preexec_fn=_die_with_parent(signal.SIGINT),  # noqa: PLW1509 - one system call, prepared before the fork
        )
    return Child(popen, name, log_file)


def _die_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """Return what the child runs between fork and exec, after it has changed its user (which resets this)."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
        if os.getppid() != parent:  # we died before the call
            os._exit(1)

    return ask_the_kernel


async def process_end(pid: int) -> None:
    """Wait until process `pid`, ours or not, has ended. Returns at once if there is none."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def stop_stale(pid: int, executable: str, *, timeout_s: float) -> None:
    """Stop what a killed Samara left, if `pid` still runs `executable`. The caller owns the directory."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        if _program_name(pid) != executable:
            return  # the id went to another program since
        os.kill(pid, signal.SIGINT)
        try:
            await asyncio.wait_for(process_end(pid), timeout_s)
        except TimeoutError:
            os.kill(pid, signal.SIGQUIT)
            await process_end(pid)


def _program_name(pid: int) -> str:
    return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")


def _tail(log_file: Path, lines: int = 12) -> list[str]:
    return log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
