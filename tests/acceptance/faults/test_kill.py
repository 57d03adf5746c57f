"""Ingest is killed at any moment, at each step of a commit and of an acknowledgement, or held still for a while."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pytest

from deploy.embedded.broker import EmbeddedBroker
from faults.figures import Figures
from faults.processes import Ingest, Mosquitto
from faults.proxy import Passing, Proxy, Verdict, mqtt_messages, postgres_messages
from faults.territory import (
    Stopwatch,
    assert_kept,
    count,
    declare,
    gated,
    load,
    port_of,
    publish,
    through,
    until_count,
)

RESUMED_WITHIN_S = 5.0  # as `make faults` measures it, with nothing else running
BESIDE_OTHERS_S = 20.0  # in the test command, where other tests, and who knows what, want the same two cores
BATCH = 256  # messages, of `simulators.load.run`


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(tmp_path / "nats", sync_interval="1s", ack_wait="1s", is_guarded=False) as broker:
        yield broker


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


class Resumed(NamedTuple):
    """How long a new process took, and for how much of it the machine had no core for it."""

    wall_s: float
    waited_s: float

    @property
    def own_s(self) -> float:
        """What is its own: the machine that runs the tests may be busy with others."""
        return self.wall_s - self.waited_s


def longest(took: list[Resumed]) -> dict[str, float]:
    """Return the two figures of it."""
    return {
        "resumed_longest_s": max(one.wall_s for one in took),
        "resumed_longest_given_a_core_s": max(one.own_s for one in took),
    }


class Acknowledgements:
    """Watches a broker's proxy for the first acknowledgement of a new process."""

    def __init__(self) -> None:
        self._first = asyncio.Event()

    def __call__(self, passing: Passing) -> Verdict:
        if passing.is_puback:
            self._first.set()
        return Verdict.PASS

    async def first(self) -> None:
        """Wait for the next one."""
        self._first.clear()
        await self._first.wait()


@pytest.mark.parametrize(
    ("broker", "kills", "within_s"),
    [
        ("mosquitto", 5, BESIDE_OTHERS_S),
        pytest.param("mosquitto", 500, RESUMED_WITHIN_S, marks=pytest.mark.slow),
        pytest.param("nats", 50, RESUMED_WITHIN_S, marks=pytest.mark.slow),
    ],
    indirect=["broker"],
)
async def test_kill_at_random_points(
    database: str,
    broker: Any,
    ingest: Any,
    tmp_path: Path,
    figures: Figures,
    kills: int,
    within_s: float,
) -> None:
    """Nine kills of ten come while it works, at any point of its path; one of ten while it starts."""
    chance, took = random.Random(kills), list[Resumed]()
    spec = load(BATCH * (kills + 1), devices=BATCH)
    await declare(database, spec)
    acknowledgements = Acknowledgements()
    async with Proxy(broker.port, mqtt_messages) as proxy:
        service = await ingest(database, proxy, max_batch=20).start()
        proxy.watch = acknowledgements
        async with gated(spec, broker.port, tmp_path / "ledger") as gate:
            for _ in range(kills):
                gate.let(1)
                await asyncio.sleep(chance.uniform(0, 0.1))
                service.kill()
                resumed = Stopwatch()
                service.launch()
                if chance.random() < 0.1:
                    await asyncio.sleep(chance.uniform(0, 1))
                    continue
                await _resumed(service, acknowledgements)
                took.append(Resumed(resumed.seconds, service.waited_s()))
            waiting = spec.uplinks - await count(database)  # who is killed every moment does not keep up
        await until_count(database, spec.uplinks)
    kept = await assert_kept(database, tmp_path / "ledger")
    figures.report(
        f"kill -9 at {kills} random points, {type(broker).__name__}",
        resumed_median_s=median(one.wall_s for one in took),
        waiting_after_the_last=waiting,
        **longest(took),
        **kept,
    )
    assert max(one.own_s for one in took) <= within_s


async def _resumed(service: Ingest, acknowledgements: Acknowledgements) -> None:
    """Wait until a new process has acknowledged something, or is subscribed with nothing left to acknowledge."""
    # Nothing is left now and then: the kill came after the last acknowledgement.
    acknowledged = asyncio.create_task(acknowledgements.first())
    connected = asyncio.create_task(service.until_logged("broker_connected"))
    await asyncio.wait((acknowledged, connected), return_when=asyncio.FIRST_COMPLETED)
    for task in (acknowledged, connected):
        task.cancel()
    await asyncio.gather(acknowledged, connected, return_exceptions=True)


# At which message it dies, and whether the other end still gets that message.
POINTS: dict[str, tuple[Callable[[Passing], bool], Verdict]] = {
    "before the COMMIT is sent": (lambda passing: passing.is_commit, Verdict.RESET),
    "after the COMMIT is sent": (lambda passing: passing.is_commit, Verdict.PASS_THEN_RESET),
    "before the answer is heard": (lambda passing: passing.is_committed, Verdict.RESET),
    "before the acknowledgement": (lambda passing: passing.is_puback, Verdict.RESET),
    "after the first acknowledgement": (lambda passing: passing.is_puback, Verdict.PASS_THEN_RESET),
}


@pytest.mark.parametrize(
    ("times", "within_s"), [(1, BESIDE_OTHERS_S), pytest.param(20, RESUMED_WITHIN_S, marks=pytest.mark.slow)]
)
async def test_kill_at_each_step(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, times: int, within_s: float
) -> None:
    took: list[Resumed] = []
    spec = load(BATCH * (times * len(POINTS) + 1), devices=BATCH)
    await declare(database, spec)
    chance = random.Random(times)
    async with (
        Proxy(mosquitto.port, mqtt_messages) as broker,
        Proxy(port_of(database), postgres_messages) as proxy,
    ):
        service = await ingest(through(database, proxy.port), broker, max_batch=20).start()
        async with gated(spec, mosquitto.port, tmp_path / "ledger") as gate:
            for point in [*POINTS] * times:
                died = asyncio.Event()
                broker.watch = proxy.watch = _killing(service, point, died, after=chance.randrange(1, 5))
                gate.let(1)
                async with asyncio.timeout(30):
                    await died.wait()
                broker.watch = proxy.watch = None
                resumed = Stopwatch()
                await service.start()
                took.append(Resumed(resumed.seconds, service.waited_s()))
        await until_count(database, spec.uplinks)
    kept = await assert_kept(database, tmp_path / "ledger")
    figures.report(f"kill -9 at each of {len(POINTS)} steps, {times} times", **longest(took), **kept)
    assert max(one.own_s for one in took) <= within_s


def _killing(service: Ingest, point: str, died: asyncio.Event, *, after: int) -> Callable[[Passing], Verdict]:
    seen, verdict = POINTS[point]
    times = 0

    def watch(passing: Passing) -> Verdict:
        nonlocal times
        if died.is_set() or not seen(passing):
            return Verdict.PASS
        times += 1
        if times < after:
            return Verdict.PASS
        service.kill()
        died.set()
        return verdict

    return watch


@pytest.mark.parametrize("still_s", [4, pytest.param(60, marks=pytest.mark.slow)])
async def test_held_still(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures, still_s: int
) -> None:
    """SIGSTOP for longer than the broker and the database wait; then it goes on where it was."""
    spec = load(2_000)
    await declare(database, spec)
    service = await ingest(database, mosquitto, source={"keepalive_s": 2}, max_batch=20).start()
    publishing = asyncio.create_task(publish(spec, mosquitto.port, tmp_path / "ledger"))
    await until_count(database, 100)
    service.signal(signal.SIGSTOP)
    await asyncio.sleep(still_s)
    service.signal(signal.SIGCONT)
    resumed = Stopwatch()
    await publishing
    await until_count(database, spec.uplinks)
    resumed_s = resumed.seconds
    await service.stop()
    kept = await assert_kept(database, tmp_path / "ledger")
    figures.report(f"held still for {still_s} s", all_stored_s=resumed_s, **kept)
