"""Who may connect to whom, and what a broker says no to: told with its reason, and tried again."""

import asyncio
import shutil
from pathlib import Path

import pytest
from ingest_broker import PROTOCOLS, Certificates, Inbox, Mosquitto, has_logged, receiving, subscribed
from ingest_support import source
from structlog.testing import capture_logs

from ingest.settings import TlsSettings


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_tls_carries_bursts_of_large_messages(
    mortal: Mosquitto, certificates: Certificates, protocol: str
) -> None:
    port = mortal.listen(
        "allow_anonymous true", f"certfile {certificates.server}", f"keyfile {certificates.server_key}"
    )
    await mortal.start()
    inbox = Inbox(bound=40, acknowledges=False)
    tls = TlsSettings(ca_file=certificates.ca)
    payloads = [bytes([number]) * (number * 500) for number in range(250)]
    async with receiving(source(mortal, port=port, protocol=protocol, tls=tls), inbox):
        await mortal.publish("t", payloads)
        while len(inbox.messages) < 250:
            await inbox.has(len(inbox.messages) - len(inbox.held) + 1)
            inbox.acknowledge()
    assert inbox.bodies == payloads


async def test_a_broker_of_another_authority_is_refused_until_it_is_mended(
    mortal: Mosquitto, certificates: Certificates, tmp_path: Path
) -> None:
    port = mortal.listen(
        "allow_anonymous true", f"certfile {certificates.server}", f"keyfile {certificates.server_key}"
    )
    await mortal.start()
    trusted = shutil.copy(certificates.other_ca, tmp_path / "trusted.pem")
    inbox = Inbox()
    with capture_logs() as logs:
        tls = TlsSettings(ca_file=trusted)
        async with receiving(source(mortal, port=port, tls=tls), inbox, wait=False) as receiver:
            await has_logged(logs, "broker_lost", 2)
            assert not receiver.is_subscribed
            shutil.copy(certificates.ca, trusted)
            await subscribed(receiver)
    assert "CERTIFICATE_VERIFY_FAILED" in logs[0]["detail"]


async def test_client_certificate_opens_what_is_closed_without(mortal: Mosquitto, certificates: Certificates) -> None:
    port = mortal.listen(
        f"certfile {certificates.server}",
        f"keyfile {certificates.server_key}",
        f"cafile {certificates.ca}",
        "require_certificate true",
        "use_identity_as_username true",
    )
    await mortal.start()
    shown = TlsSettings(ca_file=certificates.ca, certificate_file=certificates.client, key_file=certificates.client_key)
    inbox = Inbox()
    async with receiving(source(mortal, port=port, tls=shown), inbox):
        await mortal.publish("t", [b"1"])
        await inbox.has(1)
    with capture_logs() as logs:
        hidden = TlsSettings(ca_file=certificates.ca)
        async with receiving(source(mortal, port=port, tls=hidden), inbox, wait=False) as receiver:
            await has_logged(logs, "broker_lost", 2)
            assert not receiver.is_subscribed


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_user_and_password(mortal: Mosquitto, tmp_path: Path, protocol: str) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("samara:secret\n")
    program = shutil.which("mosquitto_passwd")
    if program is None:
        pytest.skip("Mosquitto's passwords: no mosquitto_passwd; apt-get install mosquitto")
    encrypt = await asyncio.create_subprocess_exec(program, "-U", passwords)
    assert await encrypt.wait() == 0
    port = mortal.listen("allow_anonymous false", f"password_file {passwords}")
    await mortal.start()
    inbox = Inbox()
    named = {"port": port, "protocol": protocol, "username": "samara"}
    async with receiving(source(mortal, **named, password="secret"), inbox):
        await mortal.publish("t", [b"1"])
        await inbox.has(1)
    with capture_logs() as logs:
        async with receiving(source(mortal, **named, password="wrong"), inbox, wait=False) as receiver:
            await has_logged(logs, "broker_lost", 2)
            assert not receiver.is_subscribed
    assert logs[0]["detail"].lower().startswith("the broker refused the connection: not authori")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_refused_subscription_is_told_by_its_topic_and_retried(mortal: Mosquitto, protocol: str) -> None:
    port = mortal.refuse_subscriptions()
    await mortal.start()
    with capture_logs() as logs:
        async with receiving(source(mortal, port=port, protocol=protocol), Inbox(), "t/#", wait=False) as receiver:
            await has_logged(logs, "broker_lost", 2)
            assert not receiver.is_subscribed
    assert logs[0]["detail"].startswith("the broker refused the subscription to t/# (")


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_broker_that_grants_less_than_qos_1_is_told(mortal: Mosquitto, protocol: str) -> None:
    port = mortal.listen("allow_anonymous true", "max_qos 0")
    await mortal.start()
    inbox = Inbox()
    with capture_logs() as logs:
        async with receiving(source(mortal, port=port, protocol=protocol), inbox):
            await mortal.publish("t", [b"1"])
            await inbox.has(1)
    assert [entry["topics"] for entry in logs if entry["event"] == "broker_grants_qos_0"] == [["t/#"]]
