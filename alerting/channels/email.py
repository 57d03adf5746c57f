"""E-mail: text and HTML, threaded by incident.

Source: RFC 5322 (Message-ID, References), RFC 3834 (Auto-Submitted), RFC 2046 (multipart/alternative).
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Annotated, Final

from pydantic import Field

from alerting import channels
from alerting.notice import Notice, one_line, plain_text
from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import DeliverySettings, SmtpSettings

NAME: Final = "email"
OPERATOR_ONLY: Final = False
_COLOURS: Final = {"info": "#2f6f8f", "warning": "#a15c00", "critical": "#a3262e"}
_RESOLVED: Final = "#2e6b3f"


class Target(channels.Target):
    """A mailbox."""

    address: Annotated[
        str, Field(max_length=254, pattern=r"^[^@\s<>\"(),:;\[\]\\]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
    ]


def available(settings: DeliverySettings) -> bool:
    """Say whether there is a relay."""
    return bool(settings.smtp.host)


async def send(notice: Notice, target: Target, outbound: channels.Outbound, now: datetime) -> None:
    """Hand the message to the relay."""
    if not available(outbound.settings):
        raise DeliveryError("no mail relay is set: [notifications.smtp] host", permanent=False)
    await outbound.smtp.send(message(notice, target, outbound.settings.smtp, now), target.address)


def message(notice: Notice, target: Target, smtp: SmtpSettings, now: datetime) -> EmailMessage:
    """Return the e-mail. The same notice gives the same Message-ID each time it is sent."""
    domain = smtp.sender_address.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(display_name=one_line(smtp.sender_name), addr_spec=smtp.sender_address)
    mail["To"] = Address(addr_spec=target.address)
    mail["Subject"] = one_line(notice.subject)
    mail["Date"] = now
    mail["Message-ID"] = f"<{notice.notice_id}@{domain}>"
    thread = f"<{notice.thread_id}@{domain}>"
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(plain_text(notice))
    mail.add_alternative(_html(notice), subtype="html")
    return mail


def _html(notice: Notice) -> str:
    colour = _RESOLVED if notice.kind == "resolved" else _COLOURS[notice.severity]
    sentences = "".join(f'<p style="margin:0 0 12px">{escape(sentence)}</p>' for sentence in notice.sentences)
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;padding:4px 16px 4px 0;font-weight:normal;color:#5a5a55;'
        f'vertical-align:top">{escape(fact.label)}</th><td style="padding:4px 0">{escape(fact.value)}</td></tr>'
        for fact in notice.facts
    )
    table = f'<table style="border-collapse:collapse;margin:0 0 16px">{rows}</table>' if rows else ""
    link = (
        f'<p style="margin:0 0 16px"><a href="{escape(notice.link, quote=True)}" style="color:{colour}">'
        f"{escape(notice.link_label or notice.link)}</a></p>"
        if notice.link
        else ""
    )
    footer = (
        f'<p style="margin:16px 0 0;color:#5a5a55;font-size:13px">{escape(notice.footer)}</p>' if notice.footer else ""
    )
    return (
        f'<!doctype html><html lang="{escape(notice.language, quote=True)}"><head><meta charset="utf-8">'
        f"<title>{escape(one_line(notice.subject))}</title></head>"
        '<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#22221f;background:#ffffff">'
        f'<div style="max-width:600px;border-left:4px solid {colour};padding-left:16px">'
        f'<h1 style="font-size:20px;margin:0 0 12px">{escape(one_line(notice.subject))}</h1>'
        f"{sentences}{table}{link}{footer}</div></body></html>"
    )
