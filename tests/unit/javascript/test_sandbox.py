"""What a worker has given up: tried from inside, in a process of the same making."""

import json
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from decoders.javascript import engine, seccomp
from decoders.javascript.calls import Limits
from decoders.javascript.pool import CodecPool
from decoders.javascript.process import WorkerProcess, WorkerStartError
from domain.errors import ConfigurationError

ROOT = str(Path(__file__).parents[3])

PROBE = """
import json, os, socket, sys
sys.path.insert(0, sys.argv[1])
os.dup2(1, 3)
from decoders.javascript.lockdown import lock_down
measures = lock_down(1 << 30)
def tried(what):
    try:
        return f"did {what()!r}"
    except OSError as error:
        return type(error).__name__
    except MemoryError:
        return "MemoryError"
told = {
    "read a file": tried(lambda: os.open("/etc/passwd", os.O_RDONLY)),
    "write a file": tried(lambda: os.open("/tmp/samara-probe", os.O_WRONLY | os.O_CREAT)),
    "open a socket": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "open a local socket": tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
    "fork": tried(os.fork),
    "execute": tried(lambda: os.execv("/bin/true", ["true"])),
    "signal its parent": tried(lambda: os.kill(os.getppid(), 0)),
    "become root": tried(lambda: os.setuid(0)),
    "list a folder": tried(lambda: os.listdir("/")),
    "use two gigabytes": tried(lambda: len(bytearray(2 << 30))),
    "user": tried(os.geteuid),
    "environment": dict(os.environ),
}
os.write(1, json.dumps([measures, told]).encode())
"""


@pytest.fixture(scope="module")
def told() -> tuple[list[str], dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, ROOT], capture_output=True, check=True, env={"TZ": "UTC"}, cwd="/"
    )
    measures, seen = json.loads(done.stdout)
    return measures, seen


def test_nothing_of_the_host_can_be_had(told: tuple[list[str], dict[str, object]]) -> None:
    _, seen = told
    refused = ("PermissionError", "OSError", "BlockingIOError", "MemoryError")
    for attempt in seen.keys() - {"user", "environment"}:
        assert seen[attempt] in refused, (attempt, seen[attempt])
    assert seen["environment"] in ({"TZ": "UTC"}, {"TZ": "UTC", "LC_CTYPE": "C.UTF-8"})  # which Python itself adds


@pytest.mark.skipif(platform.system() != "Linux", reason="seccomp is Linux's")
def test_every_measure_took(told: tuple[list[str], dict[str, object]]) -> None:
    assert told[0] == ["files", "limits", "unprivileged", "no-new-privileges", "seccomp"]


async def test_a_worker_says_its_measures_and_holds_no_file_but_its_pipes() -> None:
    worker = await WorkerProcess.start(Limits())
    try:
        assert "seccomp" in worker.measures
        looked_into(Path("/proc") / str(worker.pid))
    except PermissionError:
        pytest.skip("only root may look into an undumpable process")
    finally:
        await worker.end()


def looked_into(process: Path) -> None:
    held = {path.name: path.readlink().name.split(":")[0] for path in (process / "fd").iterdir()}
    assert held == {"0": "pipe", "1": "pipe", "2": "null", "3": "pipe"}
    status = (process / "status").read_text()
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    if os.geteuid() == 0:
        assert "Uid:\t65534\t65534\t65534\t65534" in status
        assert "CapEff:\t0000000000000000" in status


async def test_a_worker_that_cannot_start_is_said() -> None:
    with pytest.raises(WorkerStartError):
        await WorkerProcess.start(Limits(), python="/nonexistent/python")
    with pytest.raises(WorkerStartError):
        await WorkerProcess.start(Limits(), python="/bin/false")


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_allows_what_is_listed_and_nothing_else(machine: str) -> None:
    known = seccomp.MACHINES[machine]
    code = seccomp.program(known)
    for number in range(600):
        allowed = number in known.allowed or number in known.guarded
        assert judged(code, known.audit, number, 1) == allowed
    for number in known.guarded:
        assert not judged(code, known.audit, number, 4)
        assert not judged(code, known.audit, number, 7)
    assert not judged(code, 0x40000003, 1, 0)  # 32-bit calls have other numbers


def judged(code: bytes, audit: int, number: int, protection: int) -> bool:
    """Run the filter as the kernel would: a small interpreter of its four instructions."""
    data = struct.pack("=IIQQQQ", number, audit, 0, 0, 0, protection)
    lines = list(struct.iter_unpack("=HBBI", code))
    at, held = 0, 0
    while True:
        operation, yes, no, value = lines[at]
        at += 1
        if operation == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
        elif operation == 0x15:
            at += yes if held == value else no
        elif operation == 0x45:
            at += yes if held & value else no
        else:
            return bool(value == 0x7FFF0000)


def test_the_rival_package_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.importlib.metadata, "version", lambda _: "1.0")
    with pytest.raises(ConfigurationError, match="uninstall it"):
        CodecPool()


def test_a_missing_engine_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise engine.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(engine.importlib.metadata, "version", version)
    with pytest.raises(ConfigurationError, match="quickjs-ng"):
        CodecPool()
