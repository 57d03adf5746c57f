"""Bring a database to the current schema: numbered SQL files, forward only, one transaction each.

The same files serve plain PostgreSQL and TimescaleDB. A line that begins with `--plain ` or `--timescale `
is a comment until its flavour is the one being migrated; then the prefix is taken off.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from importlib.resources import files
from typing import Final, NamedTuple

import asyncpg

from domain.errors import SamaraError
from domain.quantities import QUANTITIES

_LOCK: Final = 0x53414D415241  # "SAMARA": one migration at a time
_TRIES: Final = 60
_AGAIN_S: Final = 1.0
POST: Final = "_post.sql"  # of a migration that the version before cannot work with (docs/operations.md)
_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql\Z")


class MigrationError(SamaraError):
    """A migration could not be applied; the database stands as it was before that file."""


class Migration(NamedTuple):
    """One numbered file. `sql` is in the flavour asked for."""

    number: int
    name: str
    sql: str


def migrations(*, timescale: bool) -> list[Migration]:
    """Return all migrations in order, for one flavour."""
    return list(_read(timescale=timescale))


def _read(*, timescale: bool) -> Iterator[Migration]:
    prefix = "--timescale " if timescale else "--plain "
    folder = files("store") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        match = _NAME.match(entry.name)
        if match is None:
            continue
        lines = entry.read_text("utf-8").splitlines()
        yield Migration(int(match[1]), entry.name, "\n".join(line.removeprefix(prefix) for line in lines))


TIMESCALE_OFFERED: Final = """
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
"""

TIMESCALE_PRESENT: Final = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
"""

CREATE_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations (
  number     integer PRIMARY KEY,
  name       text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)
"""

SELECT_APPLIED: Final = """
SELECT number, name FROM schema_migrations
"""

INSERT_APPLIED: Final = """
INSERT INTO schema_migrations (number, name) VALUES ($1, $2)
"""

UPSERT_QUANTITY: Final = """
INSERT INTO quantities (name, unit, kind, domain, low, high, label_fr, label_en)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (name) DO UPDATE
   SET unit = $2, kind = $3, domain = $4, low = $5, high = $6, label_fr = $7, label_en = $8
 WHERE (quantities.unit, quantities.kind, quantities.domain, quantities.low, quantities.high,
        quantities.label_fr, quantities.label_en) IS DISTINCT FROM ($2, $3, $4, $5, $6, $7, $8)
"""


async def migrate(dsn: str, *, timescale: bool | None = None, post: bool = True) -> list[str]:
    """Apply what is missing; return the names of the files applied. Without `post`, stop before the first of those.

    `timescale` None takes TimescaleDB when the server offers it. A database keeps the flavour it was first
    migrated with. Raises MigrationError naming the file, the server's message and its position.
    """
    connection = await asyncpg.connect(dsn, server_settings={"client_min_messages": "warning"})
    try:
        await connection.execute("SELECT pg_advisory_lock($1::bigint)", _LOCK)
        flavour = await _flavour(connection, timescale)
        applied = await _apply(connection, migrations(timescale=flavour), post=post)
        await _sync_quantities(connection)
    finally:
        await connection.close()
    return applied


async def _flavour(connection: asyncpg.Connection, wanted: bool | None) -> bool:  # noqa: FBT001 - tri-state
    await connection.execute(CREATE_LEDGER)
    present: bool = await connection.fetchval(TIMESCALE_PRESENT)
    started = bool(await connection.fetch(SELECT_APPLIED))
    if started or present:
        return present
    offered: bool = await connection.fetchval(TIMESCALE_OFFERED)
    if wanted is False or not offered:
        if wanted:
            raise MigrationError(
                "TimescaleDB was asked for, and this server does not offer it (pg_available_extensions)"
            )
        return False
    await connection.execute("CREATE EXTENSION timescaledb")
    return True


async def _apply(connection: asyncpg.Connection, known: list[Migration], *, post: bool) -> list[str]:
    done = {record["number"] for record in await connection.fetch(SELECT_APPLIED)}
    newer = done - {migration.number for migration in known}
    if newer:
        raise MigrationError(f"the database is newer than this program: it has migration {max(newer):04d}")
    names = []
    for migration in known:
        if migration.number in done:
            continue
        if migration.name.endswith(POST) and not post:
            break

        async def run(one: Migration = migration) -> None:
            await connection.execute(one.sql)
            await connection.execute(INSERT_APPLIED, one.number, one.name)

        try:
            await patiently(connection, run)
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{migration.name}: {error}") from error
        names.append(migration.name)
    return names


async def patiently(connection: asyncpg.Connection, work: Callable[[], Awaitable[None]]) -> int:
    """Do the work in one transaction, and return how often it was tried.

    Whoever waits for a table's lock makes all who come after wait too, ingest first of all: it waits a second, lets
    them pass, and tries again. Raises LockNotAvailableError or DeadlockDetectedError after two minutes of this, and
    what `work` raises.
    """
    attempt = 1
    while True:
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '1s'")
                await work()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if attempt == _TRIES:
                raise
            attempt += 1
            await asyncio.sleep(_AGAIN_S)
        else:
            return attempt


async def _sync_quantities(connection: asyncpg.Connection) -> None:
    rows = [(q.name, q.unit, q.kind, q.domain, q.low, q.high, q.label_fr, q.label_en) for q in QUANTITIES.values()]
    async with connection.transaction():
        await connection.executemany(UPSERT_QUANTITY, rows)


async def has_timescale(connection: asyncpg.Connection) -> bool:
    """Say whether this database is of the TimescaleDB flavour."""
    present: bool = await connection.fetchval(TIMESCALE_PRESENT)
    return present
