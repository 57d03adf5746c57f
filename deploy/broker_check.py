"""Whether a broker takes us and grants what ingest needs. Disturbs nobody: a client and a session of its own."""

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from typing import Any, Final, Literal

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.settings import MqttSource
from ingest.tls import tls_context

_WITHIN_S: Final = 10.0

Verdict = tuple[Literal["ok", "wrong"], str, str]  # verdict, what was found, what to do


async def check_broker(source: MqttSource, topics: Sequence[str]) -> Verdict:
    """Connect, subscribe at QoS 1 to the topics that ingest would, disconnect; say how it went."""
    where = f"{source.host}:{source.port}"
    try:
        reasons = await asyncio.wait_for(_subscription(source, topics), _WITHIN_S)
    except (ssl.SSLError, FileNotFoundError) as error:
        return "wrong", f"{where}: TLS: {error}", "check the files of [ingest.mqtt.tls] and the broker's name"
    except ConnectionRefusedError:
        return "wrong", f"{where} refuses connections", "check host and port, and that the broker runs"
    except _RefusedError as error:
        return "wrong", f"{where}: {error}", "check username, password and the broker's access rules"
    except (OSError, TimeoutError) as error:
        return "wrong", f"{where}: {error or 'no answer'}", "check host, port and the network between"
    refused = [f"{topic} ({reason})" for topic, reason in reasons if reason.is_failure or reason.value < 1]
    if refused:
        return "wrong", f"{where} does not grant QoS 1 on {', '.join(refused)}", "allow it in the broker's access rules"
    return "ok", f"{where} grants QoS 1 on {', '.join(topic for topic, _ in reasons)}", ""


class _RefusedError(Exception):
    """The broker does not want this client."""


async def _subscription(source: MqttSource, topics: Sequence[str]) -> list[tuple[str, ReasonCode]]:
    """Return what the broker answers for each topic. Raises OSError, _RefusedError."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[list[ReasonCode]] = loop.create_future()
    # Another group than ingest's: a message taken from that one would be lost to it.
    asked = [f"$share/{source.shared_group}-doctor/{topic}" if source.shared_group else topic for topic in topics]

    def settle(value: list[ReasonCode] | Exception) -> None:
        if not answered.done():
            if isinstance(value, Exception):
                answered.set_exception(value)
            else:
                answered.set_result(value)

    def on_connect(client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            loop.call_soon_threadsafe(settle, _RefusedError(str(reason)))
        else:
            client.subscribe([(topic, 1) for topic in asked])

    def on_subscribe(_client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        loop.call_soon_threadsafe(settle, reasons)

    await _reach(source)
    client = _client(source)
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    await asyncio.to_thread(client.connect, source.host, source.port)
    client.loop_start()
    try:
        return list(zip(topics, await answered, strict=False))
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def _reach(source: MqttSource) -> None:
    """Connect and say nothing: paho would leave the socket of a failed TLS handshake open."""
    context = None if source.tls is None else tls_context(source.tls)
    _, writer = await asyncio.open_connection(source.host, source.port, ssl=context)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _client(source: MqttSource) -> Client:
    client_id = f"{source.client_id}-doctor"
    if source.protocol == "5":
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv5)
    else:
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv311, clean_session=True)
    client.connect_timeout = _WITHIN_S / 2
    if source.username:
        client.username_pw_set(source.username, source.password.get_secret_value())
    if source.tls is not None:
        client.tls_set_context(tls_context(source.tls))
    return client
