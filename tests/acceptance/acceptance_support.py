"""Run the product as an operator does: commands, and services until they are stopped."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from deploy.embedded.postgres import role_dsn
from store.access.sealing import new_key

ROLES = ("INGEST", "API", "ACCOUNTS", "ALERTING", "PROVISIONING")
SAMARA = Path(sys.executable).with_name("samara")
START_WITHIN_S = 240  # a demonstration on a busy machine; on a quiet one it takes ten
STOP_WITHIN_S = 60


def environment(**settings: str) -> dict[str, str]:
    """The machine's, without settings of its own but the PostgreSQL that the tests use, and its roles."""
    if owner := settings.get("DATABASE__DSN"):
        roles = {f"DATABASE__{role}_DSN": role_dsn(owner, f"samara_{role.lower()}") for role in ROLES}
        settings = roles | {"KEYRING": new_key("tests")} | settings
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SAMARA_") or key == "SAMARA_PG_BIN"}
    return kept | {f"SAMARA_{key}": value for key, value in settings.items()}


def command(directory: Path, settings: dict[str, str], *arguments: object, stdin: str = "") -> str:
    """Run one command to its end and return what it said."""
    done = subprocess.run(
        [SAMARA, *(str(argument) for argument in arguments)],
        cwd=directory,
        env=environment(**settings),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


async def sign_in(session: aiohttp.ClientSession, address: str, directory: Path, settings: dict[str, str]) -> None:
    """Make an account that sees everything, as an operator does, and sign in with it. `address` ends with a slash."""
    password = "un mot de passe assez long"
    command(directory, settings, "accounts", "add", "all@example.fr", "--role", "administrator", stdin=password + "\n")
    async with session.post(
        f"{address}api/v1/session",
        json={"email": "all@example.fr", "password": password},
        headers={"Origin": address.rstrip("/")},
    ) as answer:
        assert answer.status == 201, await answer.text()


class Service:
    """A `samara serve`, its log in JSON."""

    def __init__(self, directory: Path, settings: dict[str, str], *roles: str) -> None:
        self.log = directory / f"log-{time.monotonic_ns()}"
        self._file = self.log.open("wb")
        self.process = subprocess.Popen(
            [SAMARA, "serve", *roles],
            cwd=directory,
            env=environment(**{"LOG__FORMAT": "json", "API__PORT": "0"} | settings),
            stdout=self._file,
            stderr=subprocess.STDOUT,
        )

    def events(self) -> list[dict[str, Any]]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    async def until_logged(self, event: str, within_s: float = 15) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while True:
                for one in self.events():
                    if one["event"] == event:
                        return one
                assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
                await asyncio.sleep(0.01)

    async def end(self, number: signal.Signals) -> float:
        """Send a signal and return how long it took to end, in seconds."""
        before = time.monotonic()
        self.process.send_signal(number)
        await asyncio.to_thread(self.process.wait, 20)
        return time.monotonic() - before

    def clean(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._file.close()


class Demo:
    """A running demonstration."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SAMARA_")}
        if "SAMARA_PG_BIN" in os.environ:
            environment["SAMARA_PG_BIN"] = os.environ["SAMARA_PG_BIN"]
        self.output = Path(tempfile.mkdtemp(dir=directory)) / "output"
        self._file = self.output.open("w", encoding="utf-8")
        self.process = subprocess.Popen(
            [SAMARA, "demo", "--days", "3", *arguments],
            cwd=directory,
            env=environment | {"SAMARA_API__PORT": "0"},
            stdout=self._file,
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
        self._file.close()
        return time.monotonic() - before

    def clean(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._file.close()


StartDemo = Callable[..., Demo]
