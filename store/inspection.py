"""What `samara doctor` asks of a database, migrated or not."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from store.migrate import POST, SELECT_APPLIED, migrations

OLDEST_VERSION: Final = 16


class Database(NamedTuple):
    """One database as it is. `time` is its clock's, UTC.

    `missing`, `unknown` and `breaking` are numbers of migrations: what this program has and the database not, the
    reverse, and which of the latter this program cannot work with.
    `timescale` is the version installed in it, None if none is; `timescale_offered` the one that could be.
    """

    version: int
    user: str
    name: str
    time: datetime
    may_create: bool
    missing: list[int]
    unknown: list[int]
    breaking: list[int]
    timescale: str | None
    timescale_offered: str | None


SELECT_FACTS: Final = """
SELECT current_user AS user, current_database() AS name, clock_timestamp() AS time,
       has_schema_privilege('public', 'CREATE') AS may_create,
       (SELECT installed_version FROM pg_available_extensions WHERE name = 'timescaledb') AS timescale,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS timescale_offered
"""


async def inspect(connection: asyncpg.Connection) -> Database:
    """Return the facts. Raises what asyncpg raises."""
    facts = await connection.fetchrow(SELECT_FACTS)
    assert facts is not None
    try:
        applied = {record["number"]: record["name"] for record in await connection.fetch(SELECT_APPLIED)}
    except asyncpg.UndefinedTableError:
        applied = {}
    known = {migration.number for migration in migrations(timescale=False)}
    return Database(
        version=connection.get_server_version().major,
        missing=sorted(known - applied.keys()),
        unknown=sorted(applied.keys() - known),
        breaking=sorted(number for number in applied.keys() - known if applied[number].endswith(POST)),
        **facts,
    )
