"""A broker that a test may kill and start again on the same port; and a subscriber that is not our code."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

NATS = Path(sys.executable).with_name("nats-server")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Broker(Protocol):
    host: str
    port: int


class MortalBroker:
    """A nats-server with its own store."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'server_name: test\nhost: 127.0.0.1\nport: {free_port()}\njetstream {{ store_dir: "{folder}" }}\n'
            f"mqtt {{ host: 127.0.0.1\nport: {self.port} }}\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            str(NATS), "-c", str(self._config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Subscriber:
    """Paho on its own thread."""

    def __init__(self, port: int, topic: str, client_id: str) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._subscribed = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
        self._client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        self._client.on_subscribe = lambda *_: loop.call_soon_threadsafe(self._subscribed.set)
        self._client.on_message = lambda _client, _data, message: self.messages.append((message.topic, message.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.messages]

    async def ready(self) -> None:
        await asyncio.wait_for(self._subscribed.wait(), 10)

    async def heard(self, distinct: int) -> None:
        async with asyncio.timeout(20):
            while len(set(self.messages)) < distinct:  # noqa: ASYNC110 - paho has no event to wait for
                await asyncio.sleep(0.01)

    async def heard_all(self, total: int) -> None:
        async with asyncio.timeout(20):
            while len(self.messages) < total:  # noqa: ASYNC110 - paho has no event to wait for
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.asynccontextmanager
async def subscriber(port: int, topic: str) -> AsyncIterator[Subscriber]:
    listening = Subscriber(port, topic, f"listen-{topic.partition('/')[0]}")
    try:
        await listening.ready()
        yield listening
    finally:
        listening.stop()
