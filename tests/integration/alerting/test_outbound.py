import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from alerting.channels import Outbound, email, webhook
from alerting.notice import Notice
from alerting.outbound.errors import DeliveryError
from alerting.outbound.http import HttpSender, Request, seconds_of
from alerting.outbound.settings import DeliverySettings, SmtpSettings
from alerting.outbound.smtp import SmtpSender

NOW = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
LOOPBACK = (ip_network("127.0.0.0/8"),)
NOTICE = Notice("n-1", "i-1", "opened", "critical", "fr", "Fuite à l'école", ("De l'eau coule.",))


@asynccontextmanager
async def receiver(*answers: web.StreamResponse) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """An HTTP server that gives these answers in turn, and what it was asked."""
    asked: list[web.Request] = []
    left = list(answers)

    async def handle(request: web.Request) -> web.StreamResponse:
        await request.read()
        asked.append(request)
        return left.pop(0)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", asked
    finally:
        await runner.cleanup()


def request(url: str) -> Request:
    return Request(url, b"{}", {"Content-Type": "application/json"})


async def failure(sender: HttpSender, url: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await sender.send(request(url), NOW)
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://user:password@example.org/",
        "https://example.org#@127.0.0.1/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.0x1/",
        "https://0177.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[fe80::1%25eth0]/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://localhost/",
        "https://localhost./",
        "https://xn--mnchen-3ya.example/",
        "https://münchen.example/",
        "https://ex\u0430mple.org/",
        "https://example.org\\@127.0.0.1/",
        "https://exa mple.org/",
        "https://example.org:99999/",
        "https:///",
        "//example.org/",
        "https://example.org\r\nHost: x/",
        "https://" + "a" * 2048 + ".org/",
    ],
)
async def test_an_address_of_the_inside_is_refused_for_good(url: str) -> None:
    error = await failure(HttpSender(), url)
    assert error.permanent
    assert "refused" in str(error)


async def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def lying(host: str, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host == "public.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    error = await failure(HttpSender(), "https://public.example/")
    assert error.permanent
    assert "leads to 127.0.0.1" in str(error)


async def test_an_inside_network_is_reached_when_the_operator_opened_it() -> None:
    async with receiver(web.Response(status=204)) as (url, asked):
        await HttpSender(allowed=LOOPBACK).send(request(url), NOW)
        assert [one.method for one in asked] == ["POST"]


async def test_redirects_are_not_followed() -> None:
    elsewhere = web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})
    async with receiver(elsewhere) as (url, asked):
        error = await failure(HttpSender(allowed=LOOPBACK), url)
        assert error.permanent
        assert "redirects" in str(error)
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (404, True), (410, True), (429, False), (500, False), (503, False)],
)
async def test_a_failure_is_told_as_permanent_or_temporary(status: int, *, permanent: bool) -> None:
    answer = web.Response(status=status, text="because\n" * 1000, headers={"Retry-After": "120"})
    async with receiver(answer) as (url, _):
        error = await failure(HttpSender(allowed=LOOPBACK), url)
    assert error.permanent is permanent
    assert error.retry_after_s == (None if permanent else 120.0)
    assert len(str(error)) < 400


async def test_nobody_there_is_temporary() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        error = await failure(HttpSender(allowed=LOOPBACK), url)
    assert not error.permanent


def test_retry_after_is_seconds_or_a_date() -> None:
    assert seconds_of("Sat, 21 Nov 2026 13:06:00 GMT", NOW) == 60.0
    assert seconds_of("99999999999", NOW) == 86_400.0
    assert seconds_of("soon", NOW) is None
    assert seconds_of(None, NOW) is None


class Mailbox:
    """What an SMTP server received; refuses some recipients."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy@"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        assert isinstance(envelope.content, bytes)
        self.received.append(envelope.content)
        return "250 OK"


@pytest.fixture
def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    handler = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def outbound(port: int) -> Outbound:
    smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", sender_address="alertes@samara.example")
    settings = DeliverySettings(smtp=smtp, allowed_networks=LOOPBACK)
    http = HttpSender(allowed=LOOPBACK)
    return Outbound(settings, http, http, SmtpSender(smtp))


async def test_an_email_arrives(mailbox: tuple[Mailbox, int]) -> None:
    box, port = mailbox
    await email.send(NOTICE, email.Target(address="mairie@doullens.example"), outbound(port), NOW)
    (content,) = box.received
    assert b"Message-ID: <n-1@samara.example>" in content
    assert message_from_bytes(content, policy=policy.default)["Subject"] == NOTICE.subject


@pytest.mark.parametrize(("who", "permanent"), [("nobody", True), ("busy", False)])
async def test_a_refused_recipient_is_told_apart_from_a_busy_relay(
    mailbox: tuple[Mailbox, int], who: str, *, permanent: bool
) -> None:
    _, port = mailbox
    with pytest.raises(DeliveryError) as caught:
        await email.send(NOTICE, email.Target(address=f"{who}@doullens.example"), outbound(port), NOW)
    assert caught.value.permanent is permanent


async def test_no_relay_is_temporary() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryError) as caught:
            await email.send(
                NOTICE, email.Target(address="mairie@doullens.example"), outbound(held.getsockname()[1]), NOW
            )
    assert not caught.value.permanent


async def test_a_webhook_arrives_as_it_was_signed() -> None:
    async with receiver(web.Response(status=200)) as (url, asked):
        target = webhook.Target.model_validate({"url": url, "secret": "s" * 16})
        await webhook.send(NOTICE, target, outbound(1), NOW)
        (one,) = asked
        assert json.loads(await one.read())["id"] == "n-1"
        at, _, signed = one.headers["Samara-Signature"].partition(",v1=")
        assert signed == webhook.signature("s" * 16, int(at[2:]), await one.read())
