"""Lists of sensors that came as files: what their rows would do, and doing it, some rows at a time.

One transaction takes the next rows and notes how far the list is, so that whoever asks again, or another process, goes
on where it stopped.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.sensor_list import RowError, plain, understand
from store import import_files, importing
from store.access import audit
from store.import_files import File, Line
from store.reading import installations
from store.reading.pages import Reader

AT_ONCE: Final = 1000  # rows: a second, and then one sees how far it is


class Looked(NamedTuple):
    """What became of some rows: new sensors and assignments, and why rows were not taken, what was found, by place."""

    devices: int
    assignments: int
    refused: dict[int, tuple[str, str]]


async def models(reader: Reader) -> dict[str, str]:
    """Return the ids of models as people write them: by id, by name with its vendor, by name where one has it."""
    found = await installations.model_names(reader)
    alone = [plain(name) for _, _, name in found]
    by_name = {plain(name): model_id for model_id, _, name in found if alone.count(plain(name)) == 1}
    both = {plain(vendor + name): model_id for model_id, vendor, name in found}
    return by_name | both | {plain(model_id): model_id for model_id, _, _ in found}


async def look(
    connection: asyncpg.Connection, tenant_id: int, fields: Sequence[str], lines: Sequence[Line], now: datetime
) -> Looked:
    """Take the rows that can be: sensors, sites, points, and what measures what from `now` on."""
    known = await models(connection)
    rows: list[importing.Row] = []
    refused: dict[int, tuple[str, str]] = {}
    for line in lines:
        try:
            rows.append(importing.Row(line.place, *understand(line.cells, fields, known)))
        except RowError as error:
            refused[line.place] = (error.why, error.found)
    found = await importing.import_rows(connection, tenant_id, rows, now)
    for one in found.refused:
        refused[one.line] = ("not_here" if one.why == "dev_eui" else one.why, one.detail)
    return Looked(found.devices, found.assignments, refused)


async def preview(
    connection: asyncpg.Connection, tenant_id: int, fields: Sequence[str], lines: Sequence[Line], now: datetime
) -> Looked:
    """Return what taking these rows would do; nothing is done."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        return await look(connection, tenant_id, fields, lines, now)
    finally:
        await attempt.rollback()


def misread(fields: Sequence[str], lines: Sequence[Line], known: Mapping[str, str]) -> list[Line]:
    """Return the rows that cannot be taken for what stands in them, whatever there is already."""
    wrong = []
    for line in lines:
        try:
            understand(line.cells, fields, known)
        except RowError:
            wrong.append(line)
    return wrong


async def take(connection: asyncpg.Connection, tenant_id: int, import_id: int, now: datetime) -> File:
    """Take the next rows of a list, and return how far it is. Raises NotFoundError."""
    found = await import_files.file(connection, tenant_id, import_id, held=True)
    lines = await import_files.rows(connection, import_id, found.looked_at, AT_ONCE)
    if not lines:
        return found
    looked = await look(connection, tenant_id, found.fields, lines, now)
    await import_files.looked_at(
        connection, tenant_id, import_id, len(lines),
        devices=looked.devices, assignments=looked.assignments, refused=looked.refused,
    )  # fmt: skip
    detail = {"import": import_id, "rows": len(lines), "devices": looked.devices, "refused": len(looked.refused)}
    await audit.append_own(connection, "devices.imported", tenant_id=tenant_id, subject=found.name, detail=detail)
    return await import_files.file(connection, tenant_id, import_id)
