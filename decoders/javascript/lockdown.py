"""What a worker gives up before it sees its first script. There is no way back from any of it."""

import ctypes
import os
import platform
import resource
import signal
from typing import Final

from decoders.javascript import seccomp
from decoders.javascript.wire import PROGRESS_FD

_NOBODY: Final = 65534
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


def lock_down(address_space_bytes: int) -> list[str]:
    """Give up files, processes, privileges and system calls; return the measures that took.

    What the platform has no means for is missing from the list; the parent says so once.
    """
    measures = ["files", "limits"]
    _close_all_but_pipes()
    _limit(address_space_bytes)
    if _drop_privileges():
        measures.append("unprivileged")
    libc = ctypes.CDLL(None, use_errno=True)
    if platform.system() != "Linux":
        return measures
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # after setuid, which would undo it
    if seccomp.forbid_new_privileges(libc):
        measures.append("no-new-privileges")
        if seccomp.install(libc, platform.machine()):
            measures.append("seccomp")
    return measures


def _close_all_but_pipes() -> None:
    """Keep standard input and output and the progress pipe; complaints have gone nowhere from here on."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(PROGRESS_FD + 1, min(highest, 65536) if highest > 0 else 65536)


def _limit(address_space_bytes: int) -> None:
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # pipes are no files
        (resource.RLIMIT_NOFILE, PROGRESS_FD + 1),  # every place is taken: nothing more can be opened
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, address_space_bytes),
    ):
        resource.setrlimit(what, (most, most))


def _drop_privileges() -> bool:
    """Become nobody when root; say whether this process is now without privileges."""
    if os.geteuid() != 0:
        return True
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except PermissionError:  # root of a container that was given no such right
        return False
    return True
