"""Real processes that the tests break: ingest as an operator runs it, and brokers that can be killed."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp
import pytest

from deploy.embedded.process import free_port

SAMARA = Path(sys.executable).with_name("samara")
NO_MOSQUITTO = "Mosquitto: not installed; apt-get install mosquitto"
_SAMPLE = re.compile(r"^(\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
MEGABYTE = 1 << 20


class Ingest:
    """A `samara serve ingest` that can be killed and started again: its worker name and its spool stay."""

    def __init__(self, directory: Path, settings: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._environment = environment
        self._settings = {"LOG__FORMAT": "json", "API__PORT": "0", "DATA_DIR": str(directory / "data")} | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None
        self.starts = 0
        self.address = ""
        self.data_dir = Path(self._settings["DATA_DIR"])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> Path:
        return self._directory / f"log-{self.starts}"

    def launch(self) -> None:
        """Start the process and do not wait for it."""
        self.starts += 1
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAMARA_")}
        ours = {f"SAMARA_{name}": value for name, value in self._settings.items()}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [SAMARA, "serve", "ingest"],
                cwd=self._directory,
                env=kept | ours | self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def start(self, within_s: float = 60) -> Self:
        """Start the process and return once it is subscribed to all its brokers."""
        self.launch()
        self.address = (await self.until_logged("started", within_s))["address"]
        if self._settings.keys() & {"INGEST__MQTT", "INGEST__JETSTREAM"}:
            await self.until_logged("broker_connected", within_s)
        return self

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [one for one in records if one["event"] == event]

    async def until_logged(self, event: str, within_s: float = 30) -> dict[str, Any]:
        assert self._process is not None
        async with asyncio.timeout(within_s):
            while not (found := self.logged(event)):
                assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
                await asyncio.sleep(0.01)
        return found[0]

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and return once it is dead."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> float:
        """SIGTERM; return how long it took to end, in seconds."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 30)
        assert self._process.returncode == 0, self.log.read_text(encoding="utf-8")
        return time.monotonic() - began

    async def metrics(self) -> dict[str, float]:
        """Return the samples of /metrics by name, added up over their labels."""
        found: dict[str, float] = {}
        timeout = aiohttp.ClientTimeout(10)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{self.address}metrics") as answer:
            for name, value in _SAMPLE.findall(await answer.text()):
                found[name] = found.get(name, 0.0) + float(value)
        return found

    async def until_metric(self, name: str, least: float, within_s: float = 60) -> None:
        async with asyncio.timeout(within_s):
            while (await self.metrics()).get(name, 0.0) < least:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)

    def waited_s(self) -> float:
        """Return for how long it was ready to run and had no core: what a busy machine adds to all that it does."""
        _, waited_ns, _ = Path(f"/proc/{self.pid}/schedstat").read_text(encoding="ascii").split()
        return int(waited_ns) / 1e9

    def rss_mb(self) -> float:
        """Return the memory it holds now."""
        return _status_kb(self.pid, "VmRSS") / 1024

    def peak_mb(self) -> float:
        """Return the most memory it held since the last `forget_peak`."""
        return _status_kb(self.pid, "VmHWM") / 1024

    def forget_peak(self) -> float:
        """Begin the peak again (proc(5), clear_refs); return the memory held now."""
        with suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
        return self.rss_mb()


def _status_kb(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{field}:")))


class Mosquitto:
    """A Mosquitto with a port and a folder of its own, which it keeps over restarts.

    `saves` sets `autosave_on_changes` with `autosave_interval 1`: each change is on the disk within a message.
    """

    host = "127.0.0.1"

    def __init__(self, directory: Path, *, saves: bool = True) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip(NO_MOSQUITTO)
        directory.mkdir(parents=True)
        self.port = free_port()
        self._log = directory / "log"
        self._process: subprocess.Popen[bytes] | None = None
        configuration = directory / "mosquitto.conf"
        autosave = "autosave_on_changes true\nautosave_interval 1\n" if saves else "autosave_interval 1800\n"
        configuration.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"max_connections -1\npersistence true\npersistence_location {directory}/\n{autosave}",
            encoding="utf-8",
        )
        self._command = [program, "-c", str(configuration)]

    async def start(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)  # noqa: ASYNC220
        async with asyncio.timeout(30):
            while True:
                assert self._process.poll() is None, self._log.read_text(encoding="utf-8")
                try:
                    _, writer = await asyncio.open_connection(self.host, self.port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal, and return once it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(20)


class Disk(NamedTuple):
    """A small file system of its own, that can be filled to the last byte."""

    path: Path

    @property
    def _filler(self) -> Path:
        return self.path / "filler"

    def fill(self) -> None:
        with suppress(OSError), self._filler.open("ab", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def make_room(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(path: Path, size_mb: int, owner: int | None = None) -> Iterator[Disk]:
    """Mount a tmpfs at `path`; skip when we may not."""
    if os.geteuid() != 0:
        pytest.skip("A small disk: only root may mount a tmpfs")
    path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(path)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"A small disk: no tmpfs can be mounted here ({done.stderr.decode().strip()})")
    if owner is not None:
        os.chown(path, owner, -1)
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
