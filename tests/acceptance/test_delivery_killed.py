"""The delivery role as a process, killed while it sends: everybody is told, and a repetition can be recognised."""

import asyncio
import contextlib
import random
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import asyncpg
import pytest
from acceptance_support import Service, command
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ALERTS = 40
KILLS = 3

INSERT_ALERTS = """
WITH site AS (
  INSERT INTO sites (tenant_id, name) SELECT tenant_id, 'Site ' || n FROM tenants, generate_series(1, $1) AS n
  RETURNING site_id, tenant_id
),
rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
  SELECT tenant_id, 'Fuite', 'threshold', '{"quantity": "co2", "above": 1500}', '{}', 'critical' FROM tenants
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


COUNT_SENT = "SELECT count(*) FROM deliveries WHERE state = 'sent'"


class Mailbox:
    """What the relay was handed; a little slow, so that a kill finds messages on their way."""

    def __init__(self) -> None:
        self.identities: list[str] = []
        self.arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content)
        assert mail["Subject"]
        self.identities.append(mail["Message-ID"])
        self._loop.call_soon_threadsafe(self.arrived.set)
        return "250 OK"


@pytest.fixture
async def mailbox() -> Iterator[tuple[Mailbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = Mailbox()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


async def test_a_killed_worker_tells_everybody_all_the_same(
    tmp_path: Path, database: str, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    settings = {
        "DATABASE__DSN": database,
        "NOTIFICATIONS__SMTP__HOST": "127.0.0.1",
        "NOTIFICATIONS__SMTP__PORT": str(port),
        "NOTIFICATIONS__SMTP__SECURITY": "none",
        "NOTIFICATIONS__SMTP__TIMEOUT_S": "0.5",
        "NOTIFICATIONS__TIMEOUT_S": "0.5",
    }
    command(tmp_path, settings, "tenants", "add", "doullens", "Doullens")
    added = command(tmp_path, settings, "contacts", "add", "doullens", "Mairie", "email", "address=mairie@doullens.fr")
    assert added == "contact 1: added\n"
    connection = await asyncpg.connect(database)
    await connection.execute(INSERT_ALERTS, ALERTS)
    chance = random.Random(7)
    for _ in range(KILLS):
        service = Service(tmp_path, settings, "delivery")
        await service.until_logged("started")
        box.arrived.clear()
        if len(set(box.identities)) < ALERTS:
            await asyncio.wait_for(box.arrived.wait(), 10)
        await asyncio.sleep(chance.random() / 50)
        await service.end(signal.SIGKILL)
        service.clean()
    service = Service(tmp_path, settings, "delivery")
    async with asyncio.timeout(20):
        while await connection.fetchval(COUNT_SENT) < ALERTS:
            box.arrived.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(box.arrived.wait(), 0.2)
    assert await service.end(signal.SIGTERM) < 5
    service.clean()
    told = Counter(box.identities)
    assert len(told) == ALERTS
    assert await connection.fetchval("SELECT count(*) FROM incidents") == ALERTS
    assert set(told) == {f"<{row[0]}@localhost>" for row in await connection.fetch("SELECT message_id FROM deliveries")}
    await connection.close()
