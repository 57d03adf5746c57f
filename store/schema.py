"""Describe the schema of a database as docs/schema.md shows it: `python -m store.schema DSN > docs/schema.md`."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

import asyncpg

_HEAD: Final = """# The schema

What `samara migrate` makes in plain PostgreSQL. `store/schema.py` wrote this page from a migrated database, and a
test compares the two. The words are those of [the architecture](architecture.md); why a table is as it is stands
beside it in `store/migrations/`.

On TimescaleDB the columns are the same. `uplinks`, `receptions`, `measurements` and `network_events` are hypertables
there, kept in columns after two weeks; `measurements_hourly` and `measurements_daily` are continuous aggregates.
On plain PostgreSQL the four have one partition a month, and maintenance keeps the two tables.
"""


class Column(NamedTuple):
    """One column of one relation, in the database's words."""

    relation: str
    name: str
    type: str
    notes: str


SELECT_COLUMNS: Final = """
SELECT relname AS relation, attname AS name, format_type(atttypid, atttypmod) AS type,
       concat_ws(', ', CASE WHEN attnotnull THEN 'not null' END,
                       CASE WHEN attidentity <> '' THEN 'identity' END,
                       CASE attgenerated WHEN '' THEN 'default ' ELSE 'generated as ' END
                       || btrim(regexp_replace(pg_get_expr(adbin, adrelid), '[[:space:]]+', ' ', 'g'))) AS notes
  FROM pg_class
  JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relnamespace = 'public'::regnamespace
   AND relkind IN ('r', 'p', 'v', 'm')
   AND NOT relispartition
 ORDER BY attnum
"""


async def columns(connection: asyncpg.Connection) -> list[Column]:
    """Return every column of every table and view, by relation, in the order of the table."""
    found = [Column(**row) for row in await connection.fetch(SELECT_COLUMNS)]
    return sorted(found, key=lambda column: column.relation)  # here: databases differ in how they sort text


SELECT_RULES: Final = """
SELECT relname AS relation, pg_get_constraintdef(pg_constraint.oid) AS rule
  FROM pg_constraint
  JOIN pg_class ON pg_class.oid = conrelid
 WHERE relnamespace = 'public'::regnamespace
   AND contype <> 'n'
   AND NOT relispartition
 UNION ALL
SELECT relname,
       regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX (\\w+) ON (ONLY )?\\S+ USING (\\w+)', '\\1INDEX \\2 \\4')
  FROM pg_indexes
  JOIN pg_class ON pg_class.relname = tablename AND relnamespace = 'public'::regnamespace
 WHERE schemaname = 'public'
   AND NOT relispartition
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
 UNION ALL
SELECT relname, regexp_replace(pg_get_triggerdef(pg_trigger.oid), '^CREATE TRIGGER', 'TRIGGER')
  FROM pg_trigger
  JOIN pg_class ON pg_class.oid = tgrelid
 WHERE relnamespace = 'public'::regnamespace
   AND NOT tgisinternal
 UNION ALL
SELECT relname, 'PARTITION BY ' || pg_get_partkeydef(oid)
  FROM pg_class
 WHERE relnamespace = 'public'::regnamespace
   AND relkind = 'p'
"""


async def describe(connection: asyncpg.Connection) -> str:
    """Return the page: every relation with its columns, keys, checks, indexes and triggers."""
    rules: dict[str, list[str]] = defaultdict(list)
    for row in await connection.fetch(SELECT_RULES):
        rules[row["relation"]].append(row["rule"])
    relations: dict[str, list[Column]] = defaultdict(list)
    for column in await columns(connection):
        relations[column.relation].append(column)
    lines = [line for name, held in relations.items() for line in _section(name, held, sorted(rules[name]))]
    return "\n".join([_HEAD, *lines])


def _section(name: str, held: list[Column], rules: list[str]) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| column | type | |"
    yield "|---|---|---|"
    yield from (f"| {column.name} | {column.type} | {column.notes} |" for column in held)
    yield ""
    if rules:
        yield from (f"- `{rule}`" for rule in rules)
        yield ""


async def _print(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        sys.stdout.write(await describe(connection))
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(_print(sys.argv[1]))
