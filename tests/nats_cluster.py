"""Three nats-servers on the loopback that are one JetStream cluster, each of which can be killed and started again."""

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from deploy.embedded.broker import broker_program
from deploy.embedded.process import free_port

SIZE: Final = 3
USER: Final = "samara"
PASSWORD: Final = "a password of the tests"

_CONFIGURATION: Final = """\
server_name: {name}
listen: 127.0.0.1:{client_port}
http: 127.0.0.1:{monitor_port}
max_payload: 8MB
accounts {{ samara {{ jetstream: enabled, users: [{{ user: {user}, password: "{password}" }}] }} }}
jetstream {{ store_dir: {store_dir}, sync_interval: "{sync_interval}" }}
cluster {{ name: samara, listen: 127.0.0.1:{route_port}, routes: [{routes}] }}
mqtt {{ listen: 127.0.0.1:{mqtt_port}, ack_wait: "2s", max_ack_pending: 10000, no_auth_user: {user} }}
"""


class Node:
    """One server, with ports and a folder that it keeps."""

    def __init__(self, directory: Path, number: int) -> None:
        self.name = f"node-{number}"
        self.directory = directory / self.name
        self.client_port, self.route_port, self.mqtt_port, self.monitor_port = (free_port() for _ in range(4))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [broker_program(), "-c", self.directory / "conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(20)

    async def asked(self, path: str) -> dict[str, Any]:
        """Return what its monitoring port says."""
        url = f"http://127.0.0.1:{self.monitor_port}/{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return dict(await answer.json(content_type=None))

    async def healthy(self) -> bool:
        """Say whether it has caught up with the cluster."""
        try:
            return (await self.asked("healthz"))["status"] == "ok"
        except (aiohttp.ClientError, OSError):
            return False


class NatsCluster:
    """`async with NatsCluster(directory) as cluster:` three nodes that elected their leader."""

    def __init__(self, directory: Path, *, sync_interval: str = "1s") -> None:
        self.nodes = [Node(directory, number) for number in range(1, SIZE + 1)]
        routes = ", ".join(f"nats://127.0.0.1:{node.route_port}" for node in self.nodes)
        for node in self.nodes:
            node.directory.mkdir(parents=True)
            text = _CONFIGURATION.format(
                name=node.name,
                client_port=node.client_port,
                monitor_port=node.monitor_port,
                route_port=node.route_port,
                mqtt_port=node.mqtt_port,
                routes=routes,
                store_dir=json.dumps(str(node.directory / "jetstream")),
                sync_interval=sync_interval,
                user=USER,
                password=PASSWORD,
            )
            (node.directory / "conf").write_text(text, encoding="utf-8")

    @property
    def servers(self) -> list[str]:
        return [f"nats://127.0.0.1:{node.client_port}" for node in self.nodes]

    async def __aenter__(self) -> Self:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            await self.ready(node)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for node in self.nodes:
            node.end()

    async def ready(self, node: Node, within_s: float = 30) -> None:
        """Wait until a node takes part."""
        async with asyncio.timeout(within_s):
            while not await node.healthy():
                assert node.process is not None
                assert node.process.poll() is None, (node.directory / "log").read_text(encoding="utf-8")
                await asyncio.sleep(0.05)

    async def leader_of(self, stream: str) -> Node:
        """Return the node that leads a stream."""
        asked = await self.nodes[0].asked("jsz?streams=true&accounts=true&config=true")
        for account in asked["account_details"]:
            for one in account.get("stream_detail", []):
                if one["name"] == stream:
                    return next(node for node in self.nodes if node.name == one["cluster"]["leader"])
        raise AssertionError(f"no stream {stream}")
