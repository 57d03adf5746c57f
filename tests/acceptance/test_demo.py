"""`make demo`, as a person meets it: starts by itself, shows values that move, stops whole, keeps its data."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

SAMARA = Path(sys.executable).with_name("samara")
START_WITHIN_S = 240  # a busy machine; on a quiet one it takes ten
STOP_WITHIN_S = 60
MOVES_WITHIN_S = 120


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="samara-demo-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Demo:
    """A running demonstration."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SAMARA_")}
        if "SAMARA_PG_BIN" in os.environ:
            environment["SAMARA_PG_BIN"] = os.environ["SAMARA_PG_BIN"]
        self.output = Path(tempfile.mkdtemp(dir=directory)) / "output"
        self._out = self.output.open("w", encoding="utf-8")
        self.process = subprocess.Popen(
            [SAMARA, "demo", "--days", "3", *arguments],
            cwd=directory,
            env=environment | {"SAMARA_API__PORT": "0"},
            stdout=self._out,
            stderr=subprocess.STDOUT,
        )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    async def until_said(self, pattern: str, within_s: float) -> re.Match[str]:
        async with asyncio.timeout(within_s):
            while (found := re.search(pattern, self.said())) is None:
                assert self.process.poll() is None, self.said()
                await asyncio.sleep(0.02)
        return found

    async def end(self, number: signal.Signals) -> float:
        """Send a signal and return how long it took to end, in seconds."""
        before = time.monotonic()
        self.process.send_signal(number)
        await asyncio.to_thread(self.process.wait, STOP_WITHIN_S * 2)
        self._out.close()
        return time.monotonic() - before


@pytest.fixture
def start(directory: Path) -> Iterator[Any]:
    started: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        started.append(Demo(directory, *arguments))
        return started[-1]

    yield begin
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()
        demo._out.close()


def processes_of(directory: Path) -> list[str]:
    """Command lines, of living processes, that name the directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in command:
            found.append(command)
    return found


async def until_moved(session: aiohttp.ClientSession, address: str) -> None:
    """Follow the live stream of the first commune's page until a value is another, of a later time."""
    known: dict[tuple[int, str, int], tuple[float, str]] = {}
    async with session.get(f"{address}api/v1/live", params={"tenant": "corbie"}) as answer:
        assert answer.status == 200
        async for line in answer.content:
            if line.startswith(b"data: "):
                for one in json.loads(line[6:])["values"]:
                    key = one["point_id"], one["quantity"], one["channel"]
                    value, at = known.setdefault(key, (one["value"], one["measured_at"]))
                    if one["value"] != value and one["measured_at"] > at:
                        return
    raise AssertionError("the stream ended")


async def test_the_demo_shows_values_that_move_stops_whole_and_keeps_its_data(start: Any, directory: Path) -> None:
    demo = start("--captures", str(directory))
    address = (await demo.until_said(r"at (http://\S+/)t/corbie", START_WITHIN_S))[1]
    link = re.search(r"http://\S+/connexion/lien/\S+", demo.said())
    assert link
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(link[0]) as door:
            assert "Bienvenue" in await door.text()
        given = {"next": "/t/corbie"}
        async with session.post(link[0], data=given, headers={"Origin": address.rstrip("/")}) as page:
            assert page.status == 200
            assert page.url.path == "/t/corbie"
            assert "Corbie" in await page.text()
        await demo.until_said(r"\d+ messages of the last 3 days stored", START_WITHIN_S)
        async with asyncio.timeout(MOVES_WITHIN_S):
            await until_moved(session, address)
    assert await demo.end(signal.SIGINT) < STOP_WITHIN_S
    assert demo.process.returncode == 0, demo.said()
    assert "error" not in demo.said()
    assert processes_of(directory) == []

    kept = _uplinks(directory)
    assert kept > 1000
    again = start("--captures", str(directory))
    await again.until_said(r"messages of the last \d+ days stored", START_WITHIN_S)
    assert await again.end(signal.SIGTERM) < STOP_WITHIN_S
    assert again.process.returncode == 0, again.said()
    assert _uplinks(directory) >= kept
    assert processes_of(directory) == []


def _uplinks(directory: Path) -> int:
    done = subprocess.run([SAMARA, "stats", "--json"], cwd=directory, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)["rows"]["uplinks"])


async def test_killed_it_leaves_nothing_behind_and_starts_again(start: Any, directory: Path) -> None:
    demo = start("--captures", str(directory))
    await demo.until_said(r"t/corbie", START_WITHIN_S)
    await demo.end(signal.SIGKILL)
    again = start("--captures", str(directory))
    await again.until_said(r"t/corbie", START_WITHIN_S)
    assert len([one for one in processes_of(directory) if "nats-server" in one]) == 1
    assert await again.end(signal.SIGINT) < STOP_WITHIN_S
    assert processes_of(directory) == []


async def test_a_server_that_dies_ends_it_whole_with_the_reason(start: Any, directory: Path) -> None:
    demo = start("--captures", str(directory))
    await demo.until_said(r"t/corbie", START_WITHIN_S)
    os.kill(int((directory / ".samara" / "broker" / "broker.pid").read_text(encoding="ascii")), signal.SIGKILL)
    await asyncio.to_thread(demo.process.wait, STOP_WITHIN_S * 2)
    assert demo.process.returncode == 1
    assert re.search(r"samara: a server ended by itself, with code -9; see .*broker\.log", demo.said())
    assert processes_of(directory) == []


async def test_two_of_them_in_one_directory_are_refused(start: Any, directory: Path) -> None:
    first = start("--captures", str(directory))
    await first.until_said(r"t/corbie", START_WITHIN_S)
    second = start("--captures", str(directory))
    await asyncio.to_thread(second.process.wait, START_WITHIN_S)
    assert second.process.returncode == 1
    assert "another Samara runs in" in second.said()
    assert await first.end(signal.SIGINT) < STOP_WITHIN_S
