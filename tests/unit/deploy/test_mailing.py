import pytest

from alerting.outbound.settings import SmtpSettings
from api.mailing import Mail, MailError
from deploy.mailing import RelayMailer, message

SMTP = SmtpSettings(host="relay.example", sender_name="Samara", sender_address="samara@example.fr")


def test_a_mail_is_plain_text_of_a_machine() -> None:
    made = message(Mail("maire@example.fr", "Votre invitation à Samara", "Bonjour,\n\nhttps://x/y\n"), SMTP)
    assert (made["From"], made["To"]) == ("Samara <samara@example.fr>", "maire@example.fr")
    assert made["Auto-Submitted"] == "auto-generated"
    assert made.get_content_type() == "text/plain"
    assert "https://x/y" in made.get_content()


@pytest.mark.parametrize(
    "recipient", ["a@b.fr\r\nBcc: c@d.fr", "a@b.fr, c@d.fr", "a@b.fr>", '"a b"@c.fr\n', "a@b.fr\nX: y"]
)
async def test_an_address_that_is_more_than_one_is_refused(recipient: str) -> None:
    """Injection into the header: nothing leaves."""
    with pytest.raises(MailError):
        await RelayMailer(SMTP).send(Mail(recipient, "x", "y"))


def test_a_subject_stays_on_its_line() -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed|carriage"):
        message(Mail("a@b.fr", "x\r\nBcc: c@d.fr", "y"), SMTP)


def test_without_relay_there_is_no_mail() -> None:
    assert not RelayMailer(SmtpSettings()).available
    assert RelayMailer(SMTP).available
