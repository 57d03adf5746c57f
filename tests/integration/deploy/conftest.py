"""A broker that wants a password; logs as they were before a command set them up."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

from deploy.embedded.process import free_port, spawn


@pytest.fixture(autouse=True)
def quiet_afterwards(logs_as_before: None) -> None:
    """Each test here may run a command, and a command sets up the logs of its process."""


@pytest.fixture
async def guarded_broker(tmp_path: Path) -> AsyncIterator[int]:
    """Its port; nobody is let in."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("Mosquitto: not installed; apt-get install mosquitto")
    port = free_port()
    configuration = tmp_path / "guarded.conf"
    configuration.write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous false\n", encoding="utf-8")
    child = spawn([program, "-c", configuration], name="Mosquitto", log_file=tmp_path / "log", identity=None)
    try:
        async with asyncio.timeout(10):
            await _answers(port)
        yield port
    finally:
        await child.stop(SIGINT, SIGTERM, timeout_s=3)


async def _answers(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return
