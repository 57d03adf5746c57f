"""Workers killed with SIGKILL at random moments: the record and the mails are those of one that never was."""

import asyncio
import multiprocessing
import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from multiprocessing.context import ForkServerContext
from typing import Any, NamedTuple

import asyncpg
import evaluation_child
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from evaluation_world import MINUTE, START, World, every

from store.delivery.contacts import add_contact

SENSORS = 6
ROUNDS = 12  # at least: one is ten minutes

Fresh = Callable[[str], AbstractAsyncContextManager[str]]
Worker = Callable[[str, datetime], Awaitable[None]]


class Mailbox:
    """A relay that takes all it is handed: each message as often as it came, and what it said."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.said: dict[str, set[str]] = {}
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        self.came[mail["Message-ID"]] += 1
        self.said.setdefault(mail["Message-ID"], set()).add(f"{mail['Subject']}\n{body.get_content()}")
        return "250 OK"

    def subjects(self) -> Counter[str]:
        """Return what was told, each message once."""
        return Counter(next(iter(said)).partition("\n")[0] for said in self.said.values())


@pytest.fixture
def two_mailboxes() -> Iterator[tuple[Mailbox, Mailbox]]:
    boxes, controllers = (Mailbox(), Mailbox()), []
    for box in boxes:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            box.port = free.getsockname()[1]
        controllers.append(Controller(box, hostname="127.0.0.1", port=box.port))
        controllers[-1].start()
    yield boxes
    for controller in controllers:
        controller.stop()


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Processes that begin with everything imported: a kill costs milliseconds."""
    context = multiprocessing.get_context("forkserver")
    # By name what the child imports: where tests lie is not known to the process that imports them.
    context.set_forkserver_preload(["asyncpg", "alerting.worker", "alerting.delivery.composing", "deploy.delivering"])
    return context


@pytest.fixture
async def two_databases(fresh: Fresh, plain_template: str) -> AsyncIterator[tuple[str, str]]:
    async with fresh(plain_template) as one, fresh(plain_template) as other:
        yield one, other


class Played(NamedTuple):
    """What is on record after a number of rounds."""

    rounds: int
    transitions: list[tuple[Any, ...]]
    alerts: list[tuple[Any, ...]]
    outbox: list[tuple[Any, ...]]
    states: list[tuple[Any, ...]]


# Numbers of states differ: those that a killed worker had taken are not given again.
RECORD = (
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
)


async def play(dsn: str, work: Worker, enough: Callable[[int], bool]) -> Played:
    """Write measurements, some of them late, and work after each portion until it was `enough`; return the record."""
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
    await add_contact(
        connection, world.tenant_id, name="Mairie", channel="email", target={"address": "m@somme.example"}
    )
    await work(dsn, START)
    held_back: list[tuple[Any, datetime, float]] = []
    rounds = 0
    while not enough(rounds):
        rounds += 1
        at = START + rounds * 10 * MINUTE
        for sensor in sensors:
            value = chance.choice([900.0, 1300.0, 1600.0, 1900.0])
            fate = chance.random()
            if fate < 0.1:
                held_back.append((sensor, at, value))
            elif fate > 0.15 and not (sensor is sensors[0] and 20 < rounds % 60 < 40):
                await world.measure(sensor, "co2", [(at, value)])
        if rounds % 7 == 0:
            for sensor, late_at, value in held_back:
                await world.measure(sensor, "co2", [(late_at, value)])
            held_back.clear()
        await work(dsn, at + timedelta(seconds=chance.randint(0, 150)))
    found = [[tuple(row) for row in await connection.fetch(statement)] for statement in RECORD]
    assert await connection.fetchval("SELECT count(*) FROM arrivals") == 0
    await connection.close()
    return Played(rounds, *found)


class Mortal:
    """Works in processes that are killed after a random while, again and again, until one ends by itself.

    The while counts from when a process is connected, and is as long as the work takes, more or less: about three
    of four are killed, anywhere between its first statement and its last.
    """

    def __init__(self, forks: ForkServerContext, smtp_port: int, kills: int) -> None:
        self._forks = forks
        self._smtp_port = smtp_port
        self._chance = random.Random(11)
        self._wanted = kills
        self._longest_s = 0.1
        self.kills = 0

    async def __call__(self, dsn: str, now: datetime) -> None:
        while await self._is_killed(dsn, now):
            self.kills += 1

    async def _is_killed(self, dsn: str, now: datetime) -> bool:
        ready, connected = self._forks.Pipe(duplex=False)
        arguments = (dsn, now, self._smtp_port, connected)
        process = self._forks.Process(target=evaluation_child.work, args=arguments, daemon=True)
        process.start()
        connected.close()
        await asyncio.to_thread(ready.recv_bytes)
        ready.close()
        within_s = self._chance.uniform(0, self._longest_s) if self.kills < self._wanted else 120.0
        await asyncio.to_thread(process.join, within_s)
        if process.exitcode is None:
            process.kill()
            await asyncio.to_thread(process.join)
        if process.exitcode == -9:
            self._longest_s *= 1.01
            return True
        assert process.exitcode == 0
        self._longest_s = max(self._longest_s * 0.97, 0.01)
        return False


async def compare(
    two_databases: tuple[str, str], two_mailboxes: tuple[Mailbox, Mailbox], forks: ForkServerContext, kills: int
) -> str:
    """Play with workers that are killed until enough were, then as many rounds with one that is not; compare."""
    began = time.monotonic()
    (killed_at, unkilled_at), (killed_box, unkilled_box) = two_databases, two_mailboxes
    mortal = Mortal(forks, killed_box.port, kills)

    async def in_process(dsn: str, now: datetime) -> None:
        await evaluation_child.work_all(dsn, now, unkilled_box.port)

    found = await play(killed_at, mortal, lambda rounds: rounds >= ROUNDS and mortal.kills >= kills)
    expected = await play(unkilled_at, in_process, lambda rounds: rounds == found.rounds)
    assert mortal.kills == kills
    assert len(expected.alerts) > 10
    assert len(expected.outbox) > 10
    assert found == expected
    assert all(len(said) == 1 for said in killed_box.said.values())  # a repetition says the same
    assert killed_box.subjects() == unkilled_box.subjects()
    assert set(unkilled_box.came.values()) == {1}
    repeated = killed_box.came.total() - len(killed_box.came)
    return (
        f"{kills} workers killed in {found.rounds} rounds and {time.monotonic() - began:.0f} s:"
        f" {len(found.transitions)} transitions, {len(found.alerts)} alerts, {len(killed_box.came)} messages,"
        f" {repeated} repeated"
    )


async def test_killed_workers_leave_the_record_of_one_that_never_was(
    two_databases: tuple[str, str], two_mailboxes: tuple[Mailbox, Mailbox], forks: ForkServerContext
) -> None:
    await compare(two_databases, two_mailboxes, forks, 12)


@pytest.mark.slow
async def test_a_thousand_kills(
    two_databases: tuple[str, str], two_mailboxes: tuple[Mailbox, Mailbox], forks: ForkServerContext
) -> None:
    print(await compare(two_databases, two_mailboxes, forks, 1000))  # noqa: T201 - what the long form is run for
