"""Two of every role: PostgreSQL fails over, then each process is restarted on a newer schema, amid a load."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import asyncpg
import pytest
from acceptance_support import Service
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from api_world import make_key

from deploy.embedded.postgres import role_password
from faults.figures import Figures
from faults.postgres import Server
from faults.processes import Mosquitto
from faults.territory import Stopwatch, assert_kept, declare, gated, load, until, until_count
from store.access.roles import ROLES, let_in
from store.migrate import migrate

ONCE_A_MINUTE_S = 90  # maintenance looks again a minute after it failed

ALERT = """
WITH site AS (
  INSERT INTO sites (tenant_id, name) SELECT tenant_id, $1 FROM tenants WHERE slug = 'load' RETURNING site_id, tenant_id
),
rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
  SELECT tenant_id, $1, 'threshold', '{"quantity": "co2", "above": 1500}', '{}', 'critical' FROM site
  RETURNING rule_id, tenant_id
),
alert AS (
  INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, site_id, severity, degree, phase, started_at, reason,
                      told)
  SELECT gen_random_uuid(), site.tenant_id, rule_id, site_id, site_id, 'critical', 1, 'firing', now(),
         '{"code": "threshold", "value": 1812, "level": 1500}', true
    FROM site, rule
  RETURNING alert_id, tenant_id, rule_id, state_id
),
transition AS (
  INSERT INTO transitions (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, reason, told)
  SELECT tenant_id, rule_id, state_id, alert_id, now(), 'pending', 'firing', 1, '{}', true FROM alert
  RETURNING transition_id, alert_id, tenant_id
)
INSERT INTO outbox (tenant_id, alert_id, transition_id, kind, message_id)
SELECT tenant_id, alert_id, transition_id, 'firing', gen_random_uuid() FROM transition
"""

CONTACT = """
INSERT INTO contacts (tenant_id, name, channel, target)
SELECT tenant_id, 'Astreinte', 'email', '{"address": "astreinte@example.fr"}' FROM tenants WHERE slug = 'load'
"""

NEXT_VERSION = """
ALTER TABLE uplinks ADD COLUMN added integer;
ALTER TABLE measurements ADD COLUMN added integer;
ALTER TABLE devices ADD COLUMN added integer;
ALTER TABLE rules ADD COLUMN added integer;
ALTER TABLE alerts ADD COLUMN added integer;
ALTER TABLE incidents ADD COLUMN added integer;
ALTER TABLE deliveries ADD COLUMN added integer;
ALTER TABLE sessions ADD COLUMN added integer;
CREATE TABLE added (number integer PRIMARY KEY);
INSERT INTO schema_migrations (number, name) VALUES (9999, '9999_added.sql');
"""


class Mailbox:
    """What the relay was handed, by subject."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        assert isinstance(envelope.content, bytes)
        body = message_from_bytes(envelope.content, policy=default).get_body(("plain",))
        assert body is not None
        self.mails.append(body.get_content())
        return "250 OK"

    def told(self, name: str) -> int:
        return sum(name in mail for mail in self.mails)


@pytest.fixture
def relay() -> Iterator[tuple[Mailbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


class Process:
    """One of the processes: its address, and another in its place."""

    def __init__(self, role: str, start: Callable[[], Service]) -> None:
        self.role = role
        self._start = start
        self.service = start()
        self.address = ""

    async def ready(self) -> None:
        self.address = (await self.service.until_logged("started", 60))["address"]
        await until(self.is_ready)

    async def is_ready(self) -> bool:
        return await answers(f"{self.address}readyz")

    async def restarted(self) -> None:
        """End as systemd ends it, and start again."""
        assert await self.service.end(signal.SIGTERM) < 20
        assert self.service.process.returncode == 0
        self.service = self._start()
        await self.ready()

    async def metric(self, name: str) -> float:
        timeout = aiohttp.ClientTimeout(10)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{self.address}metrics") as answer:
            found = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", await answer.text(), re.MULTILINE)
        return sum(map(float, found))


async def answers(url: str, headers: dict[str, str] | None = None) -> bool:
    timeout = aiohttp.ClientTimeout(5)
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=headers) as answer:
            return answer.status == 200
    return False


class Reader:
    """Somebody who reads all the time, sent as Caddy sends people: to one of the two that is ready."""

    def __init__(self, doors: list[Process], key: str) -> None:
        self._doors = doors
        self._headers = {"Authorization": f"Bearer {key}"}
        self.asked = 0
        self.refused = 0

    async def read(self) -> bool:
        """Return whether one of them answered."""
        return any([await answers(f"{door.address}api/v1/tenants", self._headers) for door in self._doors])

    async def run(self) -> None:
        while True:
            self.asked += 1
            for door in self._doors:
                if await door.is_ready() and await answers(f"{door.address}api/v1/tenants", self._headers):
                    break
            else:
                self.refused += 1
            await asyncio.sleep(0.05)


class Pair(NamedTuple):
    primary: Server
    replica: Server
    dsn: str


@pytest.fixture
async def pair(servers: Any) -> Pair:
    """A primary with a synchronous replica, and the address of whichever of them takes writes."""
    primary, replica = servers().initialise(), servers()
    await primary.start()
    await migrate(primary.dsn, timescale=False)
    both = primary.dsn.replace(primary.address, f"{primary.address},{replica.address}")
    dsn = f"{both}&target_session_attrs=read-write"
    owner = await asyncpg.connect(primary.dsn)
    for role in ROLES:
        await let_in(owner, role, role_password(dsn, role), os.urandom(16))
    await owner.close()
    replica.copy_of(primary)
    await replica.start()
    await primary.fetch("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await primary.fetch("SELECT pg_reload_conf()")
    return Pair(primary, replica, dsn)


async def run(dsn: str, statement: str, *values: object) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


@pytest.mark.slow
async def test_two_of_every_role_outlive_a_fail_over_and_an_upgrade(
    pair: Pair,
    mosquitto: Mosquitto,
    ingest: Any,
    serve: Callable[..., Service],
    relay: tuple[Mailbox, int],
    tmp_path: Path,
    figures: Figures,
) -> None:
    box, port = relay
    spec = load(6_000, name="load")
    await declare(pair.primary.dsn, spec)
    await run(pair.primary.dsn, CONTACT)
    owner = await asyncpg.connect(pair.primary.dsn)
    key = await make_key(owner)
    await owner.close()
    shared = {"protocol": "5", "shared_group": "samara", "client_id": "shared"}
    workers = [ingest(pair.dsn, mosquitto, worker=name, source=shared, spool_after_s=60) for name in ("one", "other")]
    settings = {
        "DATABASE__DSN": pair.dsn,
        "NOTIFICATIONS__SMTP__HOST": "127.0.0.1",
        "NOTIFICATIONS__SMTP__PORT": str(port),
        "NOTIFICATIONS__SMTP__SECURITY": "none",
    }
    processes = [
        Process(role, lambda role=role, name=f"{role}-{number}": serve(settings | {"WORKER": name}, role))
        for role in ("api", "alerting", "delivery", "maintenance")
        for number in (1, 2)
    ]
    await asyncio.gather(*(one.start() for one in workers), *(one.ready() for one in processes))
    reader = Reader([one for one in processes if one.role == "api"], key)
    async with gated(spec, mosquitto.port, tmp_path / "ledger") as gate:
        gate.let(8)
        await until_count(pair.primary.dsn, 1_000)
        await run(pair.primary.dsn, ALERT, "Avant la panne")
        await until(lambda: said(box.told("Avant la panne")))
        gate.let(4)
        figures.report("fail-over, two of every role", **await fail_over(pair, processes, reader, box))
        reading = asyncio.create_task(reader.run())
        await upgrade(pair.replica.dsn, processes, lambda: gate.let(1))
        for worker in workers:
            await worker.stop()
            await worker.start()
        await run(pair.replica.dsn, ALERT, "Apres la mise a jour")
        await until(lambda: said(box.told("Apres la mise a jour")))
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        gate.open()
    await until_count(pair.replica.dsn, spec.uplinks)
    kept = await assert_kept(pair.replica.dsn, tmp_path / "ledger")
    figures.report("rolling restart, two of every role", asked=reader.asked, refused=reader.refused, **kept)
    assert reader.asked > 20
    assert reader.refused == 0
    assert [box.told(name) for name in ("Avant la panne", "Pendant la panne", "Apres la mise a jour")] == [1, 1, 1]
    await asyncio.gather(*(one.stop() for one in workers))


async def fail_over(pair: Pair, processes: list[Process], reader: Reader, box: Mailbox) -> dict[str, float]:
    """Kill the primary for good; return the seconds until each role was of use again."""
    looking = [one for one in processes if one.role in LOOKED_AT]
    before = [await one.metric(LOOKED_AT[one.role]) for one in looking]
    await pair.primary.end(signal.SIGKILL)
    dead = Stopwatch()
    pair.replica.promote()
    await pair.replica.until_ready(writable=True)
    took = {"promoted_s": dead.seconds}
    await run(pair.replica.dsn, ALERT, "Pendant la panne")
    await until(reader.read)
    took["api_s"] = dead.seconds
    await until(lambda: said(box.told("Pendant la panne")))
    took["delivery_s"] = dead.seconds
    for one, value in sorted(zip(looking, before, strict=True), key=lambda found: found[0].role):
        await until(lambda one=one, value=value: moved_on(one, value), ONCE_A_MINUTE_S)
        took[f"{one.role}_s"] = dead.seconds
    for one in processes:
        await until(one.is_ready)
    return took


async def upgrade(dsn: str, processes: list[Process], let: Callable[[], None]) -> None:
    """Apply the next version's migration, then restart each process after the other, of the version before it."""
    await run(dsn, NEXT_VERSION)
    for one in processes:
        let()
        await one.restarted()
        assert [event for event in one.service.events() if "newer than this program" in event["event"]], one.role


LOOKED_AT = {
    "alerting": "samara_alerting_last_success_seconds",
    "maintenance": "samara_maintenance_last_success_seconds",
}


async def said(times: int) -> bool:
    return times > 0


async def moved_on(process: Process, before: float) -> bool:
    return await process.metric(LOOKED_AT[process.role]) > before
