"""One e-mail to the operator's relay."""

from email.message import EmailMessage

import aiosmtplib

from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import SmtpSettings

_PERMANENT_FROM = 500
_MAILBOX_FULL = 552  # RFC 5321 calls it permanent; a mailbox is emptied


class SmtpSender:
    """Hands messages to the relay, one connection each."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Hand one message to the relay. Raises DeliveryError: permanent when the recipient is refused for good."""
        settings = self._settings
        try:
            await aiosmtplib.send(
                message,
                sender=settings.sender_address,
                recipients=[recipient],
                hostname=settings.host,
                port=settings.port,
                username=settings.username or None,
                password=settings.password.get_secret_value() or None,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                timeout=settings.timeout_s,
                validate_certs=settings.security != "none",
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise DeliveryError(
                f"{recipient} refused: {refusal.code} {refusal.message}", permanent=_is_permanent(refusal.code)
            ) from error
        except aiosmtplib.SMTPAuthenticationError as error:  # the relay's settings are wrong, not this message
            raise DeliveryError(f"the relay refused our account: {error}", permanent=False) from error
        except aiosmtplib.SMTPResponseException as error:
            raise DeliveryError(
                f"the relay answered {error.code} {error.message}", permanent=_is_permanent(error.code)
            ) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise DeliveryError(f"the relay {settings.host}:{settings.port}: {error}", permanent=False) from error


def _is_permanent(code: int) -> bool:
    return code >= _PERMANENT_FROM and code != _MAILBOX_FULL
