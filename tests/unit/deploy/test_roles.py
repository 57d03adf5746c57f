import asyncio
import os
import signal

import pytest

from deploy.roles import RoleEndedError, stop_on_signals, until, worker_name
from deploy.settings import Settings


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_asks_to_stop(number: signal.Signals) -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 5)


async def test_until_returns_when_asked_to_stop() -> None:
    stop, role = asyncio.Event(), asyncio.create_task(asyncio.Event().wait())
    stop.set()
    await until(stop, role)  # type: ignore[arg-type]
    assert not role.done()
    role.cancel()


async def test_until_tells_of_a_role_that_ends() -> None:
    async def nothing() -> None: ...

    async def broken() -> None:
        raise ValueError("why")

    with pytest.raises(RoleEndedError, match="watch ended by itself"):
        await until(asyncio.Event(), asyncio.create_task(nothing(), name="watch"))
    with pytest.raises(ValueError, match="why"):
        await until(asyncio.Event(), asyncio.create_task(broken()))


def test_a_worker_has_a_name_that_can_be_a_folder() -> None:
    assert worker_name(Settings(worker="north-1")) == "north-1"
    assert worker_name(Settings()).replace("-", "").isalnum()
