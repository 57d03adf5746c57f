"""An embedded PostgreSQL: the binaries of a wheel (or of a directory given), one cluster, one owner.

The cluster is kept from one start to the next. It listens on the loopback, on a port that is free at each start,
and on a socket in its own directory when that path is short enough for one. The password is generated once, and
kept in a file that its owner alone can read.

PostgreSQL refuses to run as root: started by root, it runs as the user `postgres`, or `nobody` where there is none.
"""

import asyncio
import contextlib
import hmac
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT, SIGQUIT
from typing import Final, Self
from urllib.parse import urlsplit, urlunsplit

from deploy.embedded.process import Child, Identity, is_owned, sole_owner, stop_stale
from deploy.embedded.programs import preload_settings, reachable_binaries, run
from deploy.embedded.server import EmbeddedServer, Manner
from deploy.embedded.users import can_enter, give, server_identity
from domain.errors import ConfigurationError

_SOCKET_PATH_LIMIT: Final = 107 - len("/.s.PGSQL.65535")  # sockaddr_un holds 107 characters and a NUL
# A port that was taken meanwhile; the last processes of a server that was killed, which hold its memory for a moment.
_WORTH_ANOTHER: Final = ("could not bind", "pre-existing shared memory block")
_POLL_S: Final = 0.01

_MANNER: Final = Manner(
    name="PostgreSQL",
    log="postgres.log",
    worth_another=_WORTH_ANOTHER,
    start_within_s=60.0,  # crash recovery can be long
    # SIGINT is fast: it ends the sessions and writes what it holds. SIGQUIT loses nothing either, but the next start
    # has to recover.
    ask=SIGINT,
    insist=SIGQUIT,
    stop_within_s=2.5,
)

_SETTINGS: Final = {
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiling costs more than our short queries
    "max_connections": "100",
}


class EmbeddedPostgres(EmbeddedServer):
    """`async with EmbeddedPostgres(directory) as postgres:` starts it, keeps it, stops it.

    `postgres.dsn` is its address. `settings` are PostgreSQL's own, over ours. `bin_dir` holds `postgres`, `initdb`
    and `pg_config` of version 16 or later, the wheel's by default. Where the server's user cannot enter `directory`
    (a clone in /root), the files go below `fallback`, and `directory` becomes a link to them. Raises
    AlreadyRunningError, EmbeddedServerError, ConfigurationError.
    """

    def __init__(
        self,
        directory: Path,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        fallback: Path = Path("/var/lib/samara"),
    ) -> None:
        super().__init__(directory, _MANNER)
        self.dsn = ""
        self._bin_dir = bin_dir
        self._settings = dict(settings or {})
        self._fallback = fallback

    async def __aenter__(self) -> Self:
        with contextlib.ExitStack() as starting:
            self.directory, identity = place(self.directory, self._fallback)
            starting.enter_context(sole_owner(self.directory))
            await self._start(identity)
            self._cleanup = starting.pop_all()
        return self

    async def _start(self, identity: Identity | None) -> None:
        binaries = reachable_binaries(self._bin_dir, self.directory, identity)
        cluster = self.directory / "cluster"
        settings = _SETTINGS | preload_settings(binaries) | self._settings
        if not cluster.exists():
            await asyncio.to_thread(_initialise, cluster, binaries, identity, sync=settings.get("fsync") != "off")
        elif (stale := _postmaster_pid(cluster)) is not None:
            await stop_stale(stale, "postgres", timeout_s=_MANNER.stop_within_s)
            _disown(cluster)
        socket_dir = str(cluster) if len(str(cluster)) <= _SOCKET_PATH_LIMIT else ""

        def command(port: int) -> list[str | Path]:
            ours = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": socket_dir}
            return [
                binaries / "postgres",
                "-D",
                cluster,
                *(f"--{key}={value}" for key, value in (settings | ours).items()),
            ]

        self.port = await self._serve(command, lambda child: _ready(child, cluster), identity)
        self.dsn = _dsn(self.directory, self.port)


async def _ready(child: Child, cluster: Path) -> None:
    """Wait until the postmaster writes `ready` on the eighth line of its pid file."""
    while True:
        child.require_alive()
        with contextlib.suppress(FileNotFoundError):
            lines = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            if len(lines) >= 8 and lines[0] == str(child.pid) and lines[7].strip() == "ready":
                return
        await asyncio.sleep(_POLL_S)


def _postmaster_pid(cluster: Path) -> int | None:
    try:
        first, *_ = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines() or [""]
    except FileNotFoundError:
        return None
    return int(first) if first.isdecimal() else None


def running_dsn(directory: Path) -> str | None:
    """Return the address of the server that another process runs in `directory`; None if it does not run."""
    if not is_owned(directory):
        return None
    try:
        lines = (directory / "cluster" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    return _dsn(directory, int(lines[3])) if len(lines) >= 8 and lines[7].strip() == "ready" else None


def _dsn(directory: Path, port: int) -> str:
    password = (directory / "password").read_text(encoding="ascii").strip()
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable"


def role_password(dsn: str, role: str) -> str:
    """Return the password of one of Samara's roles in the embedded server whose owner's address is `dsn`.

    It is made of the owner's, so there is nothing more to keep.
    """
    owner = urlsplit(dsn).password or ""
    return hmac.digest(owner.encode(), role.encode(), "sha256").hex()


def role_dsn(dsn: str, role: str) -> str:
    """Return the address of the same database for one of Samara's roles."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{role_password(dsn, role)}@{place}"))


def _disown(cluster: Path) -> None:
    """Put our process id into the pid file of a postmaster that is no more.

    Its own id may be another program's by now, and PostgreSQL would refuse to start. It lets its parent's id pass,
    and still checks the rest of the file: that no session of the former one holds the shared memory.
    """
    with contextlib.suppress(FileNotFoundError):
        file = cluster / "postmaster.pid"
        _, *rest = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join([f"{os.getpid()}\n", *rest]), encoding="utf-8")


def place(directory: Path, fallback: Path) -> tuple[Path, Identity | None]:
    """Return where the files are, made if need be, and the user to run as (None: our own).

    An existing cluster keeps its owner. As root, a new one is given to an ordinary user.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    if not directory.exists() and not directory.is_symlink():
        identity = server_identity(os.geteuid())
        if identity is not None and not can_enter(directory.parent.resolve(), identity):
            directory.symlink_to(_reserve(fallback, identity))
        else:
            directory.mkdir(mode=0o700)
            give(directory, identity)
    home = directory.resolve(strict=True)
    owner = home.stat()
    if os.geteuid() == owner.st_uid:
        return home, None
    if os.geteuid() != 0:
        raise ConfigurationError(f"{home} belongs to user id {owner.st_uid}: start as that user, or as root")
    return home, Identity(owner.st_uid, owner.st_gid)


def _reserve(fallback: Path, identity: Identity) -> Path:
    """Return a new directory of the server's user below `fallback`, named at random: two clones never share one."""
    home = fallback / f"postgres-{secrets.token_hex(6)}"
    fallback.mkdir(parents=True, exist_ok=True)
    home.mkdir(mode=0o700)
    give(home, identity)
    return home


def _initialise(cluster: Path, binaries: Path, identity: Identity | None, *, sync: bool) -> None:
    """Make a new cluster and its password, beside its place, and move it there once whole."""
    home = cluster.parent
    password = home / "password"
    password.unlink(missing_ok=True)
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(24), encoding="ascii")
    give(password, identity)
    draft = cluster.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    methods = ["--auth=scram-sha-256", "--username=postgres", f"--pwfile={password}"]
    text = ["--locale=C.UTF-8", "--encoding=UTF8"]
    durable = [] if sync else ["--no-sync"]
    run([binaries / "initdb", "-D", draft, *methods, *text, *durable], identity)
    draft.rename(cluster)
