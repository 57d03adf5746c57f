"""A PostgreSQL as an administrator runs it: made, backed up, restored, replicated, killed, promoted."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Final, Self

import asyncpg

from deploy.embedded.process import Child, Identity, free_port, spawn
from deploy.embedded.programs import preload_settings, reachable_binaries, run
from deploy.embedded.users import give, server_identity

SCRIPTS: Final = Path(__file__).parents[3] / "deploy" / "backup"
PASSWORD: Final = "of-the-tests"
_SETTINGS: Final = {"shared_buffers": "64MB", "max_connections": "100", "timezone": "UTC", "hot_standby": "on"}


class Machine:
    """Where servers live: a directory of their user's, and the programs."""

    def __init__(self, directory: Path, pg_bin: Path | None) -> None:
        self.directory = directory
        self.identity: Identity | None = server_identity(os.geteuid())
        directory.mkdir(mode=0o755)
        give(directory, self.identity)
        self.binaries = reachable_binaries(pg_bin, directory, self.identity)
        for script in SCRIPTS.iterdir():  # the server's user may not be able to read where we stand
            copy = directory / script.name
            copy.write_bytes(script.read_bytes())
            copy.chmod(0o755)

    def folder(self, name: str) -> Path:
        path = self.directory / name
        path.mkdir(mode=0o700)
        give(path, self.identity)
        return path

    def script(self, name: str, *arguments: object, **environment: str) -> str:
        """Run one of deploy/backup as the server's user; return what it said."""
        done = subprocess.run(
            [self.directory / name, *map(str, arguments)],
            env={"PATH": f"{self.binaries}:{os.environ['PATH']}"} | environment,
            user=None if self.identity is None else self.identity.uid,
            group=None if self.identity is None else self.identity.gid,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


class Server:
    """One data directory, with a port that it keeps."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine = machine
        self.data = machine.directory / name
        self.port = free_port()
        self._child: Child | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres:{PASSWORD}@{self.address}/postgres?sslmode=disable"

    def initialise(self) -> Self:
        password = self.machine.directory / "password"
        password.write_text(PASSWORD, encoding="ascii")
        give(password, self.machine.identity)
        options = [
            "--auth=scram-sha-256",
            "--username=postgres",
            f"--pwfile={password}",
            "--data-checksums",
            "--no-sync",
        ]
        run([self.machine.binaries / "initdb", "-D", self.data, *options], self.machine.identity)
        with (self.data / "pg_hba.conf").open("a", encoding="ascii") as rights:
            rights.write("host replication all 127.0.0.1/32 scram-sha-256\n")
        return self

    def copy_of(self, primary: "Server") -> Self:
        """Make this a streaming replica."""
        command = [self.machine.binaries / "pg_basebackup", f"--dbname={primary.dsn}", f"--pgdata={self.data}"]
        options = ["--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync"]
        run([*command, *options], self.machine.identity)
        return self

    async def start(self, **settings: str) -> Self:
        """Start it, and return once it answers and, unless it is a replica, takes writes."""
        ours = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        values = _SETTINGS | preload_settings(self.machine.binaries) | settings | ours
        options = [f"--{name}={value}" for name, value in values.items()]
        log_file = self.machine.directory / f"{self.data.name}.log"
        self._child = spawn(
            [self.machine.binaries / "postgres", "-D", self.data, *options],
            name="PostgreSQL",
            log_file=log_file,
            identity=self.machine.identity,
        )
        await self.until_ready()
        return self

    async def until_ready(self, *, writable: bool | None = None) -> None:
        """Wait until it answers; `writable` None: as its data directory says."""
        assert self._child is not None
        wanted = not (self.data / "standby.signal").exists() if writable is None else writable
        async with asyncio.timeout(60):
            while True:
                self._child.require_alive()
                try:
                    connection = await asyncpg.connect(self.dsn)
                except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
                    await asyncio.sleep(0.02)
                    continue
                in_recovery = await connection.fetchval("SELECT pg_is_in_recovery()")
                await connection.close()
                if not (wanted and in_recovery):
                    return
                await asyncio.sleep(0.02)

    async def fetch(self, question: str) -> object:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    def promote(self) -> None:
        run([self.machine.binaries / "pg_ctl", "promote", "--no-wait", "-D", self.data], self.machine.identity)

    async def end(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Stop at once; SIGQUIT is `pg_ctl stop -m immediate`."""
        if self._child is not None:
            await self._child.stop(number, signal.SIGKILL, timeout_s=20)
            self._child = None
