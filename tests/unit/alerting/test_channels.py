import hashlib
import hmac
import json
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from alerting import channels
from alerting.channels import email, mattermost, ntfy, slack, sms, teams, webhook
from alerting.channels._sms_providers import PROVIDERS
from alerting.notice import Fact, Notice, one_line, plain_text
from alerting.outbound.settings import DeliverySettings, SmsSettings, SmtpSettings
from domain.errors import ConfigurationError

NOW = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
NOTICE = Notice(
    notice_id="n-42",
    thread_id="i-7",
    kind="opened",
    severity="warning",
    language="fr",
    subject="CO2 trop élevé à l'école Jules-Ferry",
    sentences=("La classe 3 dépasse 1\u202f500 ppm depuis 20 minutes.",),
    facts=(Fact("Où", "École Jules-Ferry, classe 3"), Fact("Valeur", "1\u202f812 ppm")),
    link="https://samara.example/t/doullens/alertes/7",
    link_label="Voir l'alerte",
    footer="Vous recevez ce message parce que…",
    data={"value": 1812.0},
)
HOSTILE = NOTICE._replace(
    subject="Fuite\r\nBcc: everyone@example.org\x00 <script>alert(1)</script> @all *x*",
    sentences=("<img src=x onerror=alert(1)> {{7*7}} <!channel> @channel [x](http://evil.example)",),
    facts=(Fact("Où", "a|b\n| c | <b>"),),
)


def test_every_channel_is_found_and_says_what_it_needs() -> None:
    found = channels.load()
    assert set(found) == {"email", "webhook", "sms", "slack", "mattermost", "teams", "ntfy", "apprise"}
    nothing_set = DeliverySettings()
    assert {name for name, channel in found.items() if channel.available(nothing_set)} == {
        "webhook",
        "slack",
        "mattermost",
        "teams",
        "ntfy",
    }
    assert [name for name, channel in found.items() if channel.OPERATOR_ONLY] == ["apprise"]


def test_a_module_that_is_no_channel_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "broken_channels"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "pigeon.py").write_text("NAME = 'pigeon'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"broken_channels\.pigeon: Target"):
        channels.load("broken_channels")


def parsed(notice: Notice) -> EmailMessage:
    settings = SmtpSettings(host="relay.example", sender_address="alertes@samara.example", sender_name="Samara\nX: y")
    sent = email.message(notice, email.Target(address="mairie@doullens.example"), settings, NOW)
    return message_from_bytes(sent.as_bytes(), policy=policy.default)


def test_an_email_is_threaded_and_the_same_notice_has_the_same_message_id() -> None:
    first, again, other = parsed(NOTICE), parsed(NOTICE), parsed(NOTICE._replace(notice_id="n-43", kind="resolved"))
    assert first["Message-ID"] == again["Message-ID"] == "<n-42@samara.example>"
    assert other["Message-ID"] == "<n-43@samara.example>"
    assert first["References"] == other["References"] == "<i-7@samara.example>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Subject"] == "CO2 trop élevé à l'école Jules-Ferry"
    text = first.get_body(("plain",)).get_content()
    assert "Où : École Jules-Ferry, classe 3" in text
    assert "https://samara.example/t/doullens/alertes/7" in text
    html = first.get_body(("html",)).get_content()
    assert '<html lang="fr">' in html
    assert "1\u202f812 ppm" in html


def test_names_inject_neither_headers_nor_markup_into_an_email() -> None:
    mail = parsed(HOSTILE)
    assert mail["Bcc"] is None
    assert mail["X"] is None
    assert mail["Subject"].startswith("Fuite Bcc: everyone@example.org")
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


@pytest.mark.parametrize(
    "address",
    ["", "mairie", "a@b", "a@b.fr\nBcc: c@d.fr", "<a@b.fr>", "a b@c.fr", "a@b.fr, c@d.fr", "x" * 65 + "@b.fr", "a@-b"],
)
def test_what_is_no_mailbox_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        email.Target(address=address)


def test_a_webhook_is_signed_over_its_time_and_body() -> None:
    target = webhook.Target(url="https://hook.example/x", secret=SecretStr("0123456789abcdef"))
    request = webhook.request(HOSTILE, target, NOW)
    at, _, signed = request.headers["Samara-Signature"].partition(",v1=")
    assert at == f"t={int(NOW.timestamp())}"
    expected = hmac.new(b"0123456789abcdef", at[2:].encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert signed == expected
    body = json.loads(request.body)
    assert body["id"] == request.headers["Idempotency-Key"] == "n-42"
    assert body["data"] == {"value": 1812.0}
    assert "\n" not in body["subject"]


def test_chat_messages_neither_mention_nor_format_what_people_typed() -> None:
    chat = slack.Target(url="https://hooks.example/x")
    told = json.loads(slack.request(HOSTILE, chat).body)["text"]
    assert "<!channel>" not in told
    assert "<script>" not in told
    assert "@channel" not in told
    told = json.loads(mattermost.request(HOSTILE, mattermost.Target(url="https://chat.example/x")).body)["text"]
    assert "@all" not in told
    assert "@channel" not in told
    assert "[x](" not in told
    assert "\n| c |" not in told
    card = json.loads(teams.request(HOSTILE, teams.Target(url="https://teams.example/x")).body)
    content = card["attachments"][0]["content"]
    assert content["version"] == "1.4"
    assert "[x](" not in content["body"][1]["text"]
    assert content["actions"] == [{"type": "Action.OpenUrl", "title": "Voir l'alerte", "url": NOTICE.link}]


def test_ntfy_bears_its_token_and_its_priority() -> None:
    request = ntfy.request(NOTICE, ntfy.Target(topic="doullens", token=SecretStr("tk_1")))
    assert request.headers["Authorization"] == "Bearer tk_1"
    body = json.loads(request.body)
    assert (body["topic"], body["priority"], body["click"]) == ("doullens", 4, NOTICE.link)
    assert "Authorization" not in ntfy.request(NOTICE, ntfy.Target(topic="doullens")).headers


def test_an_sms_costs_what_is_allowed_and_keeps_its_link() -> None:
    long = NOTICE._replace(subject="Œuvre “d'été” — " + "très " * 100)
    for most in (1, 2, 3):
        words = sms.text(long, most)
        assert sms.segments(words) == most
        assert words.endswith(NOTICE.link)
    assert sms.text(NOTICE._replace(facts=(), link=""), 1) == "CO2 trop élevé à l'école Jules-Ferry."


def test_an_sms_is_in_the_gsm_alphabet() -> None:
    assert sms.in_gsm("Œuvre “d'été” à 3 °C — m³ ê î ô ù 漢\u202fx€") == 'OEuvre "d\'été" à 3 C - m3 e i o ù ? x€'
    assert sms.septets("€[]") == 6
    assert [sms.segments("a" * n) for n in (160, 161, 306, 307)] == [1, 2, 2, 3]


def settings(provider: str, **more: str) -> SmsSettings:
    values = {"account": "sms-ab1-1", "key": "the-key", "secret": "the-secret", "consumer_key": "the-ck", **more}
    return SmsSettings.model_validate({"provider": provider, **values})


def test_ovh_signs_what_it_is_sent() -> None:
    request = PROVIDERS["ovh"](settings("ovh"), "+33601020304", "Bonjour é", "n-42", NOW)
    assert request.url == "https://eu.api.ovh.com/1.0/sms/sms-ab1-1/jobs"
    at = str(int(NOW.timestamp()))
    signed = b"the-secret+the-ck+POST+" + request.url.encode() + b"+" + request.body + b"+" + at.encode()
    assert request.headers["X-Ovh-Signature"] == "$1$" + hashlib.sha1(signed).hexdigest()
    assert json.loads(request.body)["receivers"] == ["+33601020304"]
    assert json.loads(request.body)["noStopClause"] is True


def test_providers_get_the_number_and_the_words_as_each_wants_them() -> None:
    brevo = PROVIDERS["brevo"](settings("brevo"), "+33601020304", "Bonjour", "n-42", NOW)
    assert json.loads(brevo.body)["recipient"] == "33601020304"
    assert brevo.headers["api-key"] == "the-key"
    octopush = PROVIDERS["octopush"](settings("octopush"), "+33601020304", "Bonjour", "n-42", NOW)
    assert json.loads(octopush.body)["request_id"] == "n-42"
    assert octopush.headers["api-login"] == "sms-ab1-1"
    smsfactor = PROVIDERS["smsfactor"](settings("smsfactor"), "+33601020304", "Bonjour", "n-42", NOW)
    assert json.loads(smsfactor.body)["sms"]["recipients"]["gsm"][0]["value"] == "33601020304"
    custom = settings("custom", url="https://sms.example/", template='{"to": "{to}", "m": ["{text}"], "x": 1}')
    request = PROVIDERS["custom"](custom, "+33601020304", 'a "quoted" {to}', "n-42", NOW)
    assert json.loads(request.body) == {"to": "+33601020304", "m": ['a "quoted" {to}'], "x": 1}
    assert request.headers["Authorization"] == "the-secret"


def test_a_provider_without_its_credentials_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="provider octopush needs key"):
        SmsSettings.model_validate({"provider": "octopush", "account": "a"})
    with pytest.raises(ValidationError, match="in clear"):
        SmtpSettings(host="relay.example", username="u", security="none")


@pytest.mark.parametrize("number", ["0601020304", "+0601020304", "+33 6 01 02 03 04", "+33601020304\n", "+336"])
def test_what_is_no_international_number_is_refused(number: str) -> None:
    with pytest.raises(ValidationError):
        sms.Target(number=number)


def test_text_is_one_line_where_a_line_is_wanted() -> None:
    assert one_line("a\r\n b\t\x00c") == "a b c"
    assert one_line("x" * 300) == "x" * 199 + "…"
    assert plain_text(NOTICE._replace(facts=(), link="", footer="")) == NOTICE.sentences[0]
