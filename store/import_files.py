"""Lists of sensors that came as files, of one tenant: kept until all their rows were looked at, and a while after."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from domain.sensor_list import plain
from store.reading.pages import Reader

KEPT: Final = timedelta(days=30)


class File(NamedTuple):
    """A list, how its columns are read (`fields`, one for each heading, '' for none), and how far it is, in rows."""

    import_id: int
    name: str
    created_at: datetime
    headings: list[str]
    fields: list[str]
    rows: int
    looked_at: int
    devices: int
    assignments: int
    refused: int
    registers: bool = False  # the sensors are wanted on the network server as well
    keep_keys: bool = False


class Line(NamedTuple):
    """One row: its place in the list, from 0, its number in the file, from 1, its cells, and why it was not taken."""

    place: int
    line: int
    cells: list[str]
    why: str | None = None
    found: str = ""


INSERT_FILE: Final = """
INSERT INTO import_files (tenant_id, account_id, name, created_at, headings, fields, rows)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING import_id
"""

INSERT_ROWS: Final = """
INSERT INTO import_rows (import_id, tenant_id, place, line, cells)
SELECT $1, $2, place - 1, line, cells::jsonb
  FROM unnest($3::integer[], $4::text[]) WITH ORDINALITY AS given (line, cells, place)
"""

DELETE_OLD_FILES: Final = """
DELETE FROM import_files WHERE tenant_id = $1 AND created_at < $2
"""


async def keep(
    connection: asyncpg.Connection,
    tenant_id: int,
    account_id: int | None,
    name: str,
    *,
    headings: Sequence[str],
    fields: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
    now: datetime,
) -> int:
    """Keep a list and return its id; those of the tenant that are older than `KEPT` go."""
    async with connection.transaction():
        await connection.execute(DELETE_OLD_FILES, tenant_id, now - KEPT)
        import_id: int = await connection.fetchval(
            INSERT_FILE, tenant_id, account_id, name, now, headings, fields, len(rows)
        )
        cells = [json.dumps(list(cells), ensure_ascii=False) for _, cells in rows]
        await connection.execute(INSERT_ROWS, import_id, tenant_id, [line for line, _ in rows], cells)
    return import_id


SELECT_FILE: Final = """
SELECT import_id, name, created_at, headings, fields, rows, looked_at, devices, assignments, refused,
       registers, keep_keys
  FROM import_files
 WHERE tenant_id = $1 AND import_id = $2
"""

SELECT_FILE_HELD: Final = f"{SELECT_FILE} FOR UPDATE"


async def file(reader: Reader, tenant_id: int, import_id: int, *, held: bool = False) -> File:
    """Return a list; `held` keeps others from it until the transaction ends. Raises NotFoundError."""
    row = await reader.fetchrow(SELECT_FILE_HELD if held else SELECT_FILE, tenant_id, import_id)
    if row is None:
        raise NotFoundError
    return File(**row)


SELECT_FILES: Final = """
SELECT import_id, name, created_at, headings, fields, rows, looked_at, devices, assignments, refused,
       registers, keep_keys
  FROM import_files
 WHERE tenant_id = $1
 ORDER BY created_at DESC, import_id DESC
 LIMIT $2
"""


async def files(reader: Reader, tenant_id: int, limit: int) -> list[File]:
    """Return the last lists of a tenant, the newest first."""
    return [File(**row) for row in await reader.fetch(SELECT_FILES, tenant_id, limit)]


SELECT_ROWS: Final = """
SELECT place, line, cells, why, found FROM import_rows WHERE import_id = $1 AND place >= $2 ORDER BY place LIMIT $3
"""

SELECT_ROWS_REFUSED: Final = """
SELECT place, line, cells, why, found
  FROM import_rows
 WHERE import_id = $1 AND why IS NOT NULL
 ORDER BY place
 LIMIT $2
"""


async def rows(reader: Reader, import_id: int, first: int, limit: int) -> list[Line]:
    """Return rows of a list from one place on."""
    return [_line(row) for row in await reader.fetch(SELECT_ROWS, import_id, first, limit)]


async def refused(reader: Reader, import_id: int, limit: int) -> list[Line]:
    """Return the rows of a list that were not taken."""
    return [_line(row) for row in await reader.fetch(SELECT_ROWS_REFUSED, import_id, limit)]


def _line(row: asyncpg.Record) -> Line:
    return Line(row["place"], row["line"], json.loads(row["cells"]), row["why"], row["found"])


UPDATE_FIELDS: Final = """
UPDATE import_files SET fields = $3 WHERE tenant_id = $1 AND import_id = $2
"""

UPDATE_REGISTERS: Final = """
UPDATE import_files SET registers = $3, keep_keys = $4 WHERE tenant_id = $1 AND import_id = $2 AND looked_at = 0
"""


async def set_registers(
    connection: asyncpg.Connection, tenant_id: int, import_id: int, *, registers: bool, keep_keys: bool
) -> None:
    """Say whether the sensors of a list are wanted on the network server as well, before any is taken."""
    await connection.execute(UPDATE_REGISTERS, tenant_id, import_id, registers, keep_keys)


UPSERT_COLUMNS: Final = """
INSERT INTO import_columns (tenant_id, heading, field)
SELECT $1, heading, field FROM unnest($2::text[], $3::text[]) AS given (heading, field)
    ON CONFLICT (tenant_id, heading) DO UPDATE SET field = excluded.field
"""


async def read_as(connection: asyncpg.Connection, tenant_id: int, found: File, fields: Sequence[str]) -> None:
    """Say what the columns of a list are, and remember it for the tenant's next ones."""
    await connection.execute(UPDATE_FIELDS, tenant_id, found.import_id, fields)
    said = {plain(heading): field for heading, field in zip(found.headings, fields, strict=True)}
    await connection.execute(UPSERT_COLUMNS, tenant_id, list(said), list(said.values()))


SELECT_COLUMNS: Final = """
SELECT heading, field FROM import_columns WHERE tenant_id = $1
"""


async def remembered(reader: Reader, tenant_id: int) -> dict[str, str]:
    """Return what columns were said to be, by plain heading."""
    return {row["heading"]: row["field"] for row in await reader.fetch(SELECT_COLUMNS, tenant_id)}


UPDATE_ROWS: Final = """
UPDATE import_rows
   SET why = given.why, found = given.found
  FROM unnest($2::integer[], $3::text[], $4::text[]) AS given (place, why, found)
 WHERE import_id = $1 AND import_rows.place = given.place
"""

UPDATE_LOOKED_AT: Final = """
UPDATE import_files
   SET looked_at = looked_at + $3, devices = devices + $4, assignments = assignments + $5, refused = refused + $6
 WHERE tenant_id = $1 AND import_id = $2
"""


async def looked_at(
    connection: asyncpg.Connection,
    tenant_id: int,
    import_id: int,
    rows: int,
    *,
    devices: int,
    assignments: int,
    refused: Mapping[int, tuple[str, str]],
) -> None:
    """Note what became of the next rows of a list; `refused` says why and what was found, by place."""
    whys, found = [why for why, _ in refused.values()], [found for _, found in refused.values()]
    await connection.execute(UPDATE_ROWS, import_id, list(refused), whys, found)
    await connection.execute(UPDATE_LOOKED_AT, tenant_id, import_id, rows, devices, assignments, len(refused))


DELETE_FILE: Final = """
DELETE FROM import_files WHERE tenant_id = $1 AND import_id = $2
"""


async def forget(connection: asyncpg.Connection, tenant_id: int, import_id: int) -> None:
    """Drop a list; the sensors that it brought stay."""
    await connection.execute(DELETE_FILE, tenant_id, import_id)
