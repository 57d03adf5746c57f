"""A Mosquitto of one's own to configure, kill and start again; and a receiver with nothing behind it."""

import asyncio
import json
import os
import random
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from ingest_support import until
from prometheus_client import CollectorRegistry

from deploy.embedded.process import free_port
from ingest.messages import Message
from ingest.metrics import IngestMetrics
from ingest.mqtt import MqttReceiver
from ingest.pipeline import Pipeline
from ingest.settings import MqttSource
from simulators.broker import BrokerAddress
from simulators.mqtt_publisher import Publisher

NO_MOSQUITTO = "Mosquitto: not installed; apt-get install mosquitto"
NO_OPENSSL = "Certificates: no openssl; apt-get install openssl"
PROTOCOLS = ["3.1.1", "5"]
DYNAMIC_SECURITY = "mosquitto_dynamic_security.so"


class Mosquitto:
    """A process that speaks into `log`. `port` is open to all, for who publishes; `listen` adds others."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            pytest.skip(NO_MOSQUITTO)
        folder.mkdir(exist_ok=True)
        self._program = program
        self._folder = folder
        self.port = free_port()
        self._config = [
            *("per_listener_settings true", "user root", "log_type all", "max_queued_messages 0"),
            *("persistence true", f"persistence_location {folder}/"),
            *(f"listener {self.port} 127.0.0.1", "allow_anonymous true"),
        ]
        self.ports = [self.port]
        self._process: subprocess.Popen[bytes] | None = None

    def listen(self, *lines: str) -> int:
        """Add a listener with these lines of configuration, and return its port."""
        self.ports.append(free_port())
        self._config += [f"listener {self.ports[-1]} 127.0.0.1", *lines]
        return self.ports[-1]

    async def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(self._config) + "\n")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - it takes a millisecond, and `kill` must not wait
                [self._program, "-c", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        for port in self.ports:
            await until(lambda port=port: self._accepts(port))

    async def _accepts(self, port: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            _, writer = await asyncio.open_connection(self.host, port)
        except ConnectionRefusedError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    def send(self, what: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(what)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def said(self, pattern: str) -> list[str]:
        """Return what the pattern's group matched in its log, in order."""
        return re.findall(pattern, self.log)

    async def says(self, pattern: str, times: int = 1) -> None:
        async def has_said() -> bool:
            return len(self.said(pattern)) >= times

        await until(has_said)

    async def publish(self, topic: str, payloads: Iterable[bytes], *, qos: int = 1) -> None:
        """Return once the broker has acknowledged them all."""
        address = BrokerAddress(host=self.host, port=self.port)
        async with Publisher(address, client_id=secrets.token_hex(4), qos=qos) as publisher:
            await publisher.publish_many((topic, payload) for payload in payloads)

    def refuse_subscriptions(self) -> int:
        """Add a listener on which nobody may subscribe, and return its port."""
        (plugin,) = Path("/usr/lib").rglob(DYNAMIC_SECURITY)
        rights = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
        groups = [{"groupname": "all", "roles": []}]
        content = {"defaultACLAccess": rights, "clients": [], "groups": groups, "roles": [], "anonymousGroup": "all"}
        path = self._folder / "security.json"
        path.write_text(json.dumps(content))
        return self.listen("allow_anonymous true", f"plugin {plugin}", f"plugin_opt_config_file {path}")


class Certificates(NamedTuple):
    """Files. `other_ca` has signed nothing; `client` and `server` are of `ca`."""

    ca: Path
    other_ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip(NO_OPENSSL)
    folder.mkdir(exist_ok=True)
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    for name in ("ca", "other"):
        _openssl(folder, f"req -x509 {key} -keyout {name}.key -out {name}.pem -subj /CN={name}")
    for name in ("server", "client"):
        _openssl(folder, f"req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}")
        _openssl(
            folder, f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -extfile {name}.ext -days 2 -out {name}.pem"
        )
    names = ("ca.pem", "other.pem", "server.pem", "server.key", "client.pem", "client.key")
    return Certificates(*(folder / name for name in names))


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)


class Inbox:
    """Stands for the pipeline: holds what it is offered until told to acknowledge."""

    def __init__(self, *, bound: int = 10**9, acknowledges: bool = True) -> None:
        self.messages: list[Message] = []
        self.held: list[Message] = []
        self.bound = bound
        self.acknowledges = acknowledges
        self.most_held = 0
        self._on_room: list[Any] = []

    @property
    def is_full(self) -> bool:
        return len(self.held) >= self.bound

    def on_room(self, call: Any) -> None:
        self._on_room.append(call)

    def offer(self, messages: Sequence[Message]) -> None:
        self.messages += messages
        self.held += messages
        self.most_held = max(self.most_held, len(self.held))
        if self.acknowledges:
            asyncio.get_running_loop().call_soon(self.acknowledge)

    def acknowledge(self, count: int | None = None) -> None:
        """Acknowledge the oldest."""
        was_full = self.is_full
        done, self.held = self.held[:count], self.held[count:] if count is not None else []
        for message in done:
            message.origin.acknowledge([message.token])
        if was_full and not self.is_full:
            for call in self._on_room:
                call()

    @property
    def bodies(self) -> list[bytes]:
        return [message.body for message in self.messages]

    async def has(self, count: int) -> None:
        """Return once that many came."""

        async def came() -> bool:
            return len(self.messages) >= count

        await until(came)


@asynccontextmanager
async def receiving(
    source: MqttSource, inbox: Inbox, *topics: str, wait: bool = True, **bounds: int
) -> AsyncIterator[MqttReceiver]:
    """Run a receiver until the block ends."""
    receiver = MqttReceiver(
        source,
        topics or ("t/#",),
        pipeline=cast("Pipeline", inbox),
        metrics=IngestMetrics(CollectorRegistry()),
        clock=lambda: datetime.now(UTC),
        randomness=random.Random(1),
        **({"max_message_bytes": 256 * 1024, "max_unacknowledged": 20_000} | bounds),
    )
    running = asyncio.create_task(receiver.run())
    try:
        if wait:
            await subscribed(receiver)
        yield receiver
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def subscribed(receiver: MqttReceiver) -> None:
    async def is_subscribed() -> bool:
        return receiver.is_subscribed

    await until(is_subscribed)


async def has_logged(logs: list[Any], event: str, times: int) -> None:
    async def is_there() -> bool:
        return sum(entry["event"] == event for entry in logs) >= times

    await until(is_there)
