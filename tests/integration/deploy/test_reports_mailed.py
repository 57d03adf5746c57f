"""Monthly reports by e-mail, to a real SMTP receiver: each once, whoever sends, and again after a failure."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import asyncpg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from alerting.outbound.settings import SmtpSettings
from api.reports import pdf
from deploy import reporting
from deploy.embedded.process import free_port
from store import reports
from store.fleet import TenantDeclaration, declare_tenant
from store.pool import open_pool

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


class Mailbox:
    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.received.append(envelope.content)
        return self.answer


async def test_each_report_goes_once_and_again_after_a_failure(database: str) -> None:
    mailbox, port = Mailbox(), free_port()
    relay = Controller(mailbox, hostname="127.0.0.1", port=port)
    relay.start()
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", sender_address="samara@example.fr")
    pool = await open_pool(database, size=2, application="samara-test")
    try:
        await _declared(database)
        try:
            mailbox.answer = "451 later"
            assert await reporting.send_due(pool, smtp, NOW) == 0
        except pdf.PdfError as error:
            pytest.skip(str(error))
        mailbox.answer = "250 OK"
        assert await reporting.send_due(pool, smtp, NOW) == 0  # claimed, and its worker may live
        later = NOW + timedelta(minutes=16)
        assert await reporting.send_due(pool, smtp, later) == 2
        assert await reporting.send_due(pool, smtp, later + timedelta(days=3)) == 0
    finally:
        await pool.close()
        relay.stop()
    mails: list[Any] = [message_from_bytes(one) for one in mailbox.received]
    assert {mail["To"] for mail in mails} == {"maire@example.fr", "secretariat@example.fr"}
    assert len({mail["Message-ID"] for mail in mails}) == 2
    [attached] = [part for part in mails[0].walk() if part.get_content_type() == "application/pdf"]
    assert attached.get_filename() == "rapport-mareuville-2026-10.pdf"
    assert attached.get_payload(decode=True).startswith(b"%PDF-")


async def test_nothing_goes_before_the_second_of_the_month(database: str) -> None:
    pool = await open_pool(database, size=1, application="samara-test")
    try:
        await _declared(database)
        smtp = SmtpSettings(host="127.0.0.1", port=9, sender_address="samara@example.fr")
        early = datetime(2026, 11, 2, 3, tzinfo=UTC)
        try:
            await reporting.send_due(pool, smtp, early)
        except pdf.PdfError as error:
            pytest.skip(str(error))
        async with pool.acquire() as connection:
            months = await connection.fetch("SELECT DISTINCT month FROM report_mails")
        assert [row["month"].isoformat() for row in months] == ["2026-09-01"]
    finally:
        await pool.close()


async def _declared(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        tenant_id = await declare_tenant(connection, TenantDeclaration("mareuville", "Mareuville", "commune"))
        await reports.set_recipients(connection, tenant_id, ["maire@example.fr", "secretariat@example.fr"])
    finally:
        await connection.close()
