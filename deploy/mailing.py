"""Mails of the API (invitations, new passwords), handed to the same relay as alerts."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import SmtpSettings
from alerting.outbound.smtp import SmtpSender
from api.mailing import Mail, MailError
from deploy.roles import now


class RelayMailer:
    """Sends by the relay of [notifications.smtp], one connection each."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._sender = SmtpSender(settings)

    @property
    def available(self) -> bool:
        """Say whether there is a relay."""
        return bool(self._settings.host)

    async def send(self, mail: Mail) -> None:
        """Hand a mail to the relay. Raises MailError."""
        try:
            await self._sender.send(message(mail, self._settings), mail.recipient)
        except (DeliveryError, ValueError) as error:  # ValueError: an address that no header can hold
            raise MailError(str(error)) from error


def message(mail: Mail, smtp: SmtpSettings) -> EmailMessage:
    """Return the e-mail: plain text, no picture, nothing that tells whether it was read. Raises ValueError."""
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(display_name=smtp.sender_name, addr_spec=smtp.sender_address)
    made["To"] = Address(addr_spec=mail.recipient)
    made["Subject"] = mail.subject
    made["Date"] = now()
    made["Message-ID"] = make_msgid(domain=smtp.sender_address.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.text)
    return made
