"""Workers killed with SIGKILL at random moments: the record is the one of a worker that never was."""

import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerContext
from typing import Any

import asyncpg
import evaluation_child
import pytest
from evaluation_world import MINUTE, START, World, every

SENSORS = 6
HOURS = 12  # of the long form

Fresh = Callable[[str], AbstractAsyncContextManager[str]]
Worker = Callable[[str, datetime], Awaitable[None]]


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Processes that begin with everything imported: a kill costs milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["evaluation_child"])
    return context


@pytest.fixture
async def two_databases(fresh: Fresh, plain_template: str) -> AsyncIterator[tuple[str, str]]:
    async with fresh(plain_template) as one, fresh(plain_template) as other:
        yield one, other


async def play(dsn: str, work: Worker, hours: int) -> list[list[tuple[Any, ...]]]:
    """Write some hours of measurements, some of them late, work after each portion; return the record."""
    chance = random.Random(7)
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    world = await World.make(connection)
    sensors = [await world.sensor(f"Salle {number}") for number in range(SENSORS)]
    for sensor in sensors:
        await world.measure(sensor, "co2", every(10, 900))
    everything = {"everything": True}
    await world.rule("threshold", everything, quantity="co2", above=1500, clear=1200, for_s=900)
    await world.rule("n_of_m", everything, quantity="co2", above=1500, n=2, m=4)
    await world.rule("silent_sensor", everything, period_s=600, missed=3, at_least_s=1800)
    await world.rule("group", everything, quantity="co2", above=1500, mode="count", count=3, keep_firing_s=600)
    await work(dsn, START)
    held_back: list[tuple[Any, datetime, float]] = []
    for place in range(1, hours * 6):
        at = START + place * 10 * MINUTE
        for sensor in sensors:
            value = chance.choice([900.0, 1300.0, 1600.0, 1900.0])
            fate = chance.random()
            if fate < 0.1:
                held_back.append((sensor, at, value))
            elif fate > 0.15 and not (sensor is sensors[0] and 20 < place < 40):
                await world.measure(sensor, "co2", [(at, value)])
        if place % 7 == 0:
            for sensor, late_at, value in held_back:
                await world.measure(sensor, "co2", [(late_at, value)])
            held_back.clear()
        await work(dsn, at + timedelta(seconds=chance.randint(0, 500)))
    # Numbers of states differ: those that a killed worker had taken are not given again.
    found = [
        [tuple(row) for row in await connection.fetch(statement)]
        for statement in (
            """
            SELECT rule_id, (SELECT point_id FROM rule_states WHERE rule_states.state_id = transitions.state_id), at,
                   from_phase, to_phase, degree, value, told, alert_id, superseded_at
              FROM transitions
             ORDER BY 1, 2, 3, 4, 5, 10
            """,
            "SELECT alert_id, phase, degree, started_at, ended_at, told FROM alerts ORDER BY alert_id",
            "SELECT alert_id, kind, message_id, created_at FROM outbox ORDER BY message_id",
            """
            SELECT rule_id, point_id, phase, phase_since, folded_to, alert_id, machine::text
              FROM rule_states ORDER BY 1, 2
            """,
            "SELECT device_ids FROM arrivals",
        )
    ]
    await connection.close()
    return found


class Mortal:
    """Works in processes that are killed after a random while, again and again, until one ends by itself."""

    def __init__(self, forks: ForkServerContext, kills: int) -> None:
        self._forks = forks
        self._chance = random.Random(11)
        self.kills = 0
        self._left = kills
        self._longest_s = 0.15

    async def __call__(self, dsn: str, now: datetime) -> None:
        while True:
            process = self._forks.Process(target=evaluation_child.work, args=(dsn, now), daemon=True)
            process.start()
            within_s = self._chance.uniform(0, self._longest_s) if self._left > 0 else 60.0
            await asyncio.to_thread(process.join, within_s)
            if process.exitcode is None:
                process.kill()
                await asyncio.to_thread(process.join)
                self.kills += 1
                self._left -= 1
                self._longest_s *= 1.02  # a slow machine needs longer to get anywhere
                continue
            assert process.exitcode == 0
            self._longest_s = max(self._longest_s * 0.97, 0.03)
            return


async def compare(two_databases: tuple[str, str], forks: ForkServerContext, *, kills: int, hours: int) -> int:
    unkilled, killed = two_databases
    mortal = Mortal(forks, kills)

    async def in_process(dsn: str, now: datetime) -> None:
        await evaluation_child._work(dsn, now)

    expected = await play(unkilled, in_process, hours)
    found = await play(killed, mortal, hours)
    assert expected[1]
    assert expected[2]
    assert found == expected
    assert found[-1] == []
    return mortal.kills


async def test_killed_workers_leave_the_record_of_one_that_never_was(
    two_databases: tuple[str, str], forks: ForkServerContext
) -> None:
    assert await compare(two_databases, forks, kills=12, hours=2) >= 6


@pytest.mark.slow
async def test_a_thousand_kills(two_databases: tuple[str, str], forks: ForkServerContext) -> None:
    kills = await compare(two_databases, forks, kills=1000, hours=HOURS)
    print(f"{kills} workers killed")  # noqa: T201 - what the long form is run for
    assert kills == 1000
