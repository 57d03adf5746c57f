"""Real services for the tests: one PostgreSQL a session, a fresh database a test, two brokers.

    database          dsn of a fresh migrated database, plain PostgreSQL
    any_database      the same, once plain and once with TimescaleDB
    timescale_database  with TimescaleDB alone
    empty_database    dsn of a fresh database with nothing in it
    territory         `.dsn` of a fresh database with the territory of `api_world` in it, and its `.world`
    any_territory     the same, once plain and once with TimescaleDB
    nats_broker, mosquitto_broker   `.host`, `.port`; shared by the session: use topics and client ids of your own
    lns_data          directory of captured messages
    logs_as_before    what a test changes of this process's logs is undone: handlers, levels, structlog

What the machine lacks is skipped with one line that says how to get it.
"""

import asyncio
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import NamedTuple

import api_world
import asyncpg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres, role_password
from deploy.embedded.process import free_port, spawn
from store.access.roles import ROLES, let_in
from store.migrate import migrate

ROOT = Path(__file__).parent.parent

# The same cases each time: what fails here fails everywhere. `--hypothesis-profile=search` looks for new ones. Where
# others work on the same cores, slowness says nothing.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("search"), derandomize=True)
settings.load_profile("same")

NO_TIMESCALE = (
    "TimescaleDB: not offered by this server (pg_available_extensions); set SAMARA_PG_BIN to a PostgreSQL that has it"
)
NO_MOSQUITTO = "Mosquitto: not installed; apt-get install mosquitto"

# Nothing here outlives the session: durability is only lost time. Policies run when a test runs them.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timescaledb.max_background_workers": "0",
}


class Broker(NamedTuple):
    host: str
    port: int


_ROOM = 2 * 1024**3  # bytes

Fresh = Callable[[str], AbstractAsyncContextManager[str]]


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Undo what the test changes of this process's logs: another test, later, must find no level of its loggers set."""
    root = logging.getLogger()
    handlers = root.handlers
    levels = {logger: logger.level for logger in _loggers()}
    yield
    root.handlers = handlers
    for logger in _loggers():
        logger.setLevel(levels.get(logger, logging.NOTSET))
    structlog.reset_defaults()


def _loggers() -> list[logging.Logger]:
    root = logging.getLogger()
    return [root, *(known for known in root.manager.loggerDict.values() if isinstance(known, logging.Logger))]


@pytest.fixture(scope="session")
def pg_bin() -> Path | None:
    given = os.environ.get("SAMARA_PG_BIN")
    return Path(given) if given else None


@pytest.fixture(scope="session")
def service_directory() -> Iterator[Path]:
    """A directory that the user who runs PostgreSQL for root can enter, which pytest's own is not."""
    directory = Path(tempfile.mkdtemp(prefix="samara-", dir=_in_memory()))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def _in_memory() -> str | None:
    """Return a directory in memory where there is room for two thousand databases one after the other, else None."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM
    return str(shared) if roomy else None


@pytest.fixture(scope="session")
async def postgres_server(service_directory: Path, pg_bin: Path | None) -> AsyncIterator[EmbeddedPostgres]:
    async with EmbeddedPostgres(service_directory / "postgres", pg_bin, FAST) as server:
        await _make_roles(server.dsn)
        yield server


async def _make_roles(dsn: str) -> None:
    """Let Samara's roles in. All databases of the server share them; `role_dsn(dsn, role)` is their address."""
    connection = await asyncpg.connect(dsn)
    try:
        for role in ROLES:
            await connection.execute(f"CREATE ROLE {role}")
            await let_in(connection, role, role_password(dsn, role), os.urandom(16))
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def has_timescale(postgres_server: EmbeddedPostgres) -> bool:
    connection = await asyncpg.connect(postgres_server.dsn)
    try:
        return bool(await connection.fetchval("SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb'"))
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def fresh(postgres_server: EmbeddedPostgres) -> AsyncIterator[Fresh]:
    """Give a new database, copied from another, for as long as it is used."""
    numbers = itertools.count(1)
    administrator = await asyncpg.connect(postgres_server.dsn)
    turn = asyncio.Lock()

    async def administer(statement: str) -> None:
        async with turn:
            await administrator.execute(statement)

    @asynccontextmanager
    async def copy_of(template: str) -> AsyncIterator[str]:
        name = f"test_{next(numbers)}"
        # Files are copied for two thirds of what blocks through the log cost.
        await administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield postgres_server.dsn.replace("/postgres?", f"/{name}?")
        finally:
            await administer(f"DROP DATABASE {name} WITH (FORCE)")

    yield copy_of
    await administrator.close()


@pytest.fixture(scope="session")
async def plain_template(fresh: Fresh) -> AsyncIterator[str]:
    async with fresh("template0") as dsn:
        await migrate(dsn, timescale=False)
        yield api_world.name_of(dsn)


@pytest.fixture(scope="session")
async def timescale_template(fresh: Fresh, has_timescale: bool) -> AsyncIterator[str]:  # noqa: FBT001 - a fixture
    if not has_timescale:
        pytest.skip(NO_TIMESCALE)
    async with fresh("template0") as dsn:
        await migrate(dsn, timescale=True)
        yield api_world.name_of(dsn)


@pytest.fixture
async def empty_database(fresh: Fresh) -> AsyncIterator[str]:
    async with fresh("template0") as dsn:
        yield dsn


@pytest.fixture
async def database(fresh: Fresh, plain_template: str) -> AsyncIterator[str]:
    async with fresh(plain_template) as dsn:
        yield dsn


@pytest.fixture
async def timescale_database(fresh: Fresh, timescale_template: str) -> AsyncIterator[str]:
    async with fresh(timescale_template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def territory_template(fresh: Fresh, plain_template: str) -> AsyncIterator[api_world.Territory]:
    async with fresh(plain_template) as dsn:
        yield await _settled(dsn)


@pytest.fixture(scope="session")
async def timescale_territory_template(fresh: Fresh, timescale_template: str) -> AsyncIterator[api_world.Territory]:
    async with fresh(timescale_template) as dsn:
        yield await _settled(dsn)


async def _settled(dsn: str) -> api_world.Territory:
    connection = await asyncpg.connect(dsn)
    try:
        return api_world.Territory(dsn, await api_world.build(connection))
    finally:
        await connection.close()


@pytest.fixture
async def territory(fresh: Fresh, territory_template: api_world.Territory) -> AsyncIterator[api_world.Territory]:
    async with fresh(api_world.name_of(territory_template.dsn)) as dsn:
        yield territory_template._replace(dsn=dsn)


@pytest.fixture
async def timescale_territory(
    fresh: Fresh, timescale_territory_template: api_world.Territory
) -> AsyncIterator[api_world.Territory]:
    async with fresh(api_world.name_of(timescale_territory_template.dsn)) as dsn:
        yield timescale_territory_template._replace(dsn=dsn)


@pytest.fixture(params=["plain", "timescale"])
def any_territory(request: pytest.FixtureRequest) -> api_world.Territory:
    name = "territory" if request.param == "plain" else "timescale_territory"
    found: api_world.Territory = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["plain", "timescale"])
def any_database(request: pytest.FixtureRequest) -> str:
    name = "database" if request.param == "plain" else "timescale_database"
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
async def nats_broker(service_directory: Path) -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(service_directory / "nats", sync_interval="1s", is_guarded=False) as broker:
        yield broker


@pytest.fixture(scope="session")
async def mosquitto_broker(service_directory: Path) -> AsyncIterator[Broker]:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip(NO_MOSQUITTO)
    directory = service_directory / "mosquitto"
    directory.mkdir()
    port = free_port()
    # Root's Mosquitto becomes the user `mosquitto`, who cannot write here: `user root` keeps it as it is.
    (directory / "mosquitto.conf").write_text(
        f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        f"persistence true\npersistence_location {directory}/\n",
        encoding="utf-8",
    )
    child = spawn(
        [program, "-c", directory / "mosquitto.conf"],
        name="Mosquitto",
        log_file=directory / "mosquitto.log",
        identity=None,
    )
    try:
        await asyncio.wait_for(_accepts(port, child.require_alive), 10)
        yield Broker("127.0.0.1", port)
    finally:
        await child.stop(SIGINT, SIGTERM, timeout_s=3)


async def _accepts(port: int, require_alive: Callable[[], None]) -> None:
    while True:
        require_alive()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return


@pytest.fixture(scope="session")
def lns_data() -> Path:
    directory = ROOT.parent / "shared" / "data" / "lns"
    if not directory.is_dir():
        pytest.skip(f"Captured messages: none in {directory}; they are not part of the project")
    return directory
