"""The system calls a worker may make once it is set up: memory, its pipes, its timer, its end.

A program of classic BPF (linux/seccomp.h, linux/filter.h; numbers from the kernel's tables of x86_64 and
aarch64). Anything else answers EPERM: opening, connecting, executing, forking, signalling. Memory can be mapped,
never made executable.
"""

import ctypes
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2

_ALLOW: Final = 0x7FFF0000
_REFUSE: Final = 0x00050000 | 1  # SECCOMP_RET_ERRNO | EPERM
_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_IF_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_SET: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06
_AT_NUMBER: Final = 0  # offsets in struct seccomp_data
_AT_ARCHITECTURE: Final = 4
_AT_PROTECTION: Final = 32  # the low half of the third argument of mmap and mprotect
_PROT_EXEC: Final = 4


class Machine(NamedTuple):
    """One architecture's audit number and system calls. `guarded` are allowed without PROT_EXEC."""

    audit: int
    guarded: tuple[int, ...]
    allowed: tuple[int, ...]


# In one order: read write close fstat lseek munmap brk rt_sigaction rt_sigprocmask rt_sigreturn mremap
# sched_yield madvise setitimer getpid exit gettimeofday getrusage times sigaltstack gettid futex
# restart_syscall clock_gettime exit_group getrandom
_AARCH64: Final = (
    *(63, 64, 57, 80, 62, 215, 214, 134, 135, 139, 216, 124, 233, 103, 172, 93, 169, 165, 153, 132, 178, 98),
    *(128, 113, 94, 278),
)
MACHINES: Final[Mapping[str, Machine]] = MappingProxyType(
    {
        "x86_64": Machine(
            0xC000003E,
            (9, 10),
            (0, 1, 3, 5, 8, 11, 12, 13, 14, 15, 25, 24, 28, 38, 39, 60, 96, 98, 100, 131, 186, 202, 219, 228, 231, 318),
        ),
        "aarch64": Machine(
            0xC00000B7,
            (222, 226),
            _AARCH64,
        ),
    }
)


def program(machine: Machine) -> bytes:
    """Return the filter: eight bytes an instruction."""
    count = len(machine.guarded) + len(machine.allowed)
    lines = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_IF_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    # Each comparison jumps over those left to the three blocks at the end: refuse, protection, allow.
    for place, number in enumerate((*machine.guarded, *machine.allowed)):
        left = count - place - 1
        lines.append((_IF_EQUAL, left + (1 if place < len(machine.guarded) else 4), 0, number))
    lines += [
        (_RETURN, 0, 0, _REFUSE),
        (_LOAD, 0, 0, _AT_PROTECTION),
        (_IF_SET, 0, 1, _PROT_EXEC),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("lines", ctypes.c_char_p))


def forbid_new_privileges(libc: ctypes.CDLL) -> bool:
    """Say whether the kernel took PR_SET_NO_NEW_PRIVS, which the filter needs and no `execve` undoes."""
    return bool(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def install(libc: ctypes.CDLL, machine_name: str) -> bool:
    """Filter the system calls of this process, for good. Says whether it took: not on other architectures."""
    machine = MACHINES.get(machine_name)
    if machine is None:
        return False
    code = program(machine)
    lines = ctypes.create_string_buffer(code, len(code))
    filtered = _Filter(len(code) // 8, ctypes.cast(lines, ctypes.c_char_p))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filtered), 0, 0) == 0)
