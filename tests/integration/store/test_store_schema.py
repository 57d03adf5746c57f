"""Every statement of store/ against the real schema, and the schema against its page."""

import importlib
import pkgutil
import re
from pathlib import Path

import asyncpg
import pytest

import store
from store.migrate import has_timescale, migrate, migrations
from store.schema import columns, describe
from store.staging import CREATE_STAGED, prepare_connection

PAGE = Path(__file__).parents[3] / "docs" / "schema.md"
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")

# What is asked of one flavour alone: there the roll-ups are tables, or policies exist.
PLAIN_ONLY = {"DELETE_HOURS", "INSERT_HOURS", "DELETE_DAYS", "INSERT_DAYS", "EXPIRE_HOURS", "EXPIRE_DAYS"}
# Made for each relation, or on the tables of one transaction: tests/integration/transfer runs them.
OF_A_TRANSFER = re.compile(r"\{\w+\}|\b(staged|word)_\w+")
TIMESCALE_ONLY = {"SELECT_AGGREGATE", "ADD_POLICY", "REMOVE_POLICY", "SELECT_TIMESCALE_SIZES"}


def statements() -> dict[tuple[str, str], str]:
    names = [module.name for module in pkgutil.walk_packages(store.__path__, "store.")]
    return {
        (name, constant): value
        for name in names
        for constant, value in vars(importlib.import_module(name)).items()
        if constant.isupper() and isinstance(value, str) and STATEMENT.match(value)
    }


async def test_every_statement_is_accepted_by_the_schema(connection: asyncpg.Connection) -> None:
    await prepare_connection(connection)
    for table in ("uplinks", "receptions", "measurements"):
        await connection.execute(CREATE_STAGED.format(table=table))
    elsewhere = PLAIN_ONLY if await has_timescale(connection) else TIMESCALE_ONLY
    found = statements()
    assert len(found) > 50
    for (module, constant), statement in found.items():
        if constant in elsewhere or (module.startswith("store.transfer.") and OF_A_TRANSFER.search(statement)):
            continue
        try:
            await connection.prepare(statement)
        except asyncpg.PostgresError as error:
            pytest.fail(f"{module}.{constant}: {error}")


async def test_the_page_shows_the_schema(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        described = await describe(connection)
    finally:
        await connection.close()
    assert described == PAGE.read_text("utf-8"), "python -m store.schema DSN > docs/schema.md"


async def test_a_fresh_database_lets_nobody_in(database: str) -> None:
    """No default account, key or password: the first administrator is made by `samara accounts`."""
    connection = await asyncpg.connect(database)
    try:
        for table in ("accounts", "passwords", "sessions", "api_keys", "links", "identities", "grants"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    finally:
        await connection.close()


async def test_both_flavours_have_the_same_columns(database: str, timescale_database: str) -> None:
    described = []
    for dsn in (database, timescale_database):
        connection = await asyncpg.connect(dsn)
        described.append([column[:3] for column in await columns(connection)])
        await connection.close()
    assert described[0] == described[1]


@pytest.mark.parametrize("timescale", [False, True])
async def test_migrating_twice_does_nothing(
    empty_database: str,
    timescale: bool,  # noqa: FBT001
    has_timescale: bool,  # noqa: FBT001
) -> None:
    if timescale and not has_timescale:
        pytest.skip("TimescaleDB: not offered by this server; set SAMARA_PG_BIN to a PostgreSQL that has it")
    first = await migrate(empty_database, timescale=timescale)
    assert first == [migration.name for migration in migrations(timescale=timescale)]
    assert await migrate(empty_database) == []
    assert await migrate(empty_database, timescale=not timescale) == []


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [migration.number for migration in migrations(timescale=False)]
    assert numbers == list(range(1, len(numbers) + 1))
