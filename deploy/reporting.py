"""Monthly reports by e-mail: each month's, once, to whom a manager named, from the second day of the next on."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import SmtpSettings
from alerting.outbound.smtp import SmtpSender
from api.mailing import Mail
from api.pages.texts import texts
from api.reports import month, pdf, words
from deploy.mailing import message
from deploy.roles import now
from store import reports
from store.pool import TRANSIENT, borrowed
from store.reading.territory import Tenant, tenant_by_id
from store.reports import Claimed

log = structlog.get_logger("samara")

_ZONE: Final = ZoneInfo("Europe/Paris")
_EVERY_S: Final = 600.0
_AFTER: Final = timedelta(days=1, hours=6)  # meters that tell twice a day have told the last one by then
_LANGUAGE: Final = "fr"


async def send_for_ever(pool: asyncpg.Pool, smtp: SmtpSettings) -> None:
    """Send what is due, every ten minutes, until cancelled; nothing where there is no relay."""
    while smtp.host:
        try:
            await send_due(pool, smtp, now())
        except TRANSIENT as error:
            log.warning("reports wait for the database", error=str(error) or type(error).__name__)
        except pdf.PdfError as error:
            log.warning("reports are not sent", error=str(error))
        await asyncio.sleep(_EVERY_S)


async def send_due(pool: asyncpg.Pool, smtp: SmtpSettings, at: datetime) -> int:
    """Send the reports of the last whole month that nobody sent yet; return how many went. Raises PdfError."""
    local = (at - _AFTER).astimezone(_ZONE)
    first = month.months_before(local.date().replace(day=1), 2)[0]
    sent = 0
    async with borrowed(pool) as connection:
        claimed = await reports.claim(connection, first, at)
        for tenant_id in dict.fromkeys(one.tenant_id for one in claimed):
            tenant = await tenant_by_id(connection, tenant_id)
            drawn = await _drawn(connection, tenant, first)
            mine = [one for one in claimed if one.tenant_id == tenant_id]
            sent += await _send(connection, smtp, tenant, first, (mine, drawn))
    return sent


async def _drawn(connection: asyncpg.Connection, tenant: Tenant, first: date) -> bytes:
    catalogue = texts(_LANGUAGE)
    read = await month.read(connection, tenant, first)
    return await pdf.made(pdf.html(words.tell(read, catalogue), catalogue))


async def _send(
    connection: asyncpg.Connection,
    smtp: SmtpSettings,
    tenant: Tenant,
    first: date,
    post: tuple[Sequence[Claimed], bytes],
) -> int:
    claimed, drawn = post
    sender, sent = SmtpSender(smtp), 0
    for one in claimed:
        try:
            await sender.send(_mail(one, smtp, tenant, first, drawn), one.email)
        except (DeliveryError, ValueError) as error:
            log.warning("a report was not sent", tenant=tenant.slug, error=str(error))
        else:
            await reports.mark_sent(connection, one, first, now())
            sent += 1
    return sent


def _mail(one: Claimed, smtp: SmtpSettings, tenant: Tenant, first: date, drawn: bytes) -> EmailMessage:
    """Return the mail; of the same report to the same address, always with the same Message-ID."""
    catalogue = texts(_LANGUAGE)
    said = {"name": tenant.name, "month": words.month_name(first, catalogue)}
    made = message(
        Mail(one.email, catalogue("report.mail.subject", **said), catalogue("report.mail.text", **said)), smtp
    )
    domain = smtp.sender_address.rpartition("@")[2]
    recipient = one.email.replace("@", ".at.")
    del made["Message-ID"]
    made["Message-ID"] = f"<report.{tenant.slug}.{first:%Y-%m}.{recipient}@{domain}>"
    made.add_attachment(
        drawn, maintype="application", subtype="pdf", filename=f"rapport-{tenant.slug}-{first:%Y-%m}.pdf"
    )
    return made
