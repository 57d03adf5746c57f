"""Lists of sensors that came as files: what their rows would do, and doing it, some rows at a time.

One transaction takes the next rows and notes how far the list is, so that whoever asks again, or another process, goes
on where it stopped.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from api import bulk_orders
from api.bulk_orders import Asker
from api.provisioning import Planned
from domain.sensor_list import Row, RowError, plain, understand
from store import import_files, importing
from store.access import audit
from store.import_files import File, Line
from store.provisioning import import_keys
from store.reading import installations
from store.reading.pages import Reader

AT_ONCE: Final = 1000  # rows: a second, and then one sees how far it is


class Looked(NamedTuple):
    """What became of some rows: new sensors and assignments; the rows taken; why others were not, what was found.

    Rows are by place. `planned`: what would be done for them on the network server, of a preview.
    """

    devices: int
    assignments: int
    refused: dict[int, tuple[str, str]]
    taken: dict[int, Row]
    planned: dict[int, Planned]


NOTHING: Final = Looked(0, 0, {}, {}, {})


def of_devices(
    fields: Sequence[str], lines: Sequence[Line], known: Mapping[str, str], devices: Mapping[str, str]
) -> list[Line]:
    """Return the rows of these devices, each once, with what is said of its device as the reason."""
    found: dict[str, Line] = {}
    for line in lines:
        try:
            row = understand(line.cells, fields, known)
        except RowError:
            continue
        if row.dev_eui in devices:
            found.setdefault(row.dev_eui, line._replace(why="network", found=devices[row.dev_eui]))
    return list(found.values())


async def models(reader: Reader) -> dict[str, str]:
    """Return the ids of models as people write them: by id, by name with its vendor, by name where one has it."""
    found = await installations.model_names(reader)
    alone = [plain(name) for _, _, name in found]
    by_name = {plain(name): model_id for model_id, _, name in found if alone.count(plain(name)) == 1}
    both = {plain(vendor + name): model_id for model_id, vendor, name in found}
    return by_name | both | {plain(model_id): model_id for model_id, _, _ in found}


async def look(
    connection: asyncpg.Connection, tenant_id: int, of: File, lines: Sequence[Line], now: datetime, *, with_keys: bool
) -> Looked:
    """Take the rows that can be: sensors, sites, points, and what measures what from `now` on.

    `with_keys`: a row whose key was forgotten meanwhile is not taken.
    """
    known = await models(connection)
    rows: dict[int, Row] = {}
    refused: dict[int, tuple[str, str]] = {}
    for line in lines:
        try:
            rows[line.place] = understand(line.cells, of.fields, known)
        except RowError as error:
            refused[line.place] = (error.why, error.found)
    if with_keys:
        refused |= dict.fromkeys(await bulk_orders.forgotten(connection, of, rows), ("key_gone", ""))
    wanted = [
        importing.Row(
            place, row.dev_eui, row.name, row.model_id, row.site, row.point, row.latitude_deg, row.longitude_deg,
            row.use, row.part_of,
        )
        for place, row in rows.items()
        if place not in refused
    ]  # fmt: skip
    found = await importing.import_rows(connection, tenant_id, wanted, now)
    for one in found.refused:
        refused[one.line] = ("not_here" if one.why == "dev_eui" else one.why, one.detail)
    taken = {place: row for place, row in rows.items() if place not in refused}
    return Looked(found.devices, found.assignments, refused, taken, {})


async def preview(
    connection: asyncpg.Connection, tenant_id: int, of: File, lines: Sequence[Line], now: datetime, *, is_served: bool
) -> Looked:
    """Return what taking these rows would do, on the network server too if one serves the tenant; nothing is done."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        looked = await look(connection, tenant_id, of, lines, now, with_keys=is_served)
        if not is_served:
            return looked
        return looked._replace(planned=await bulk_orders.planned(connection, tenant_id, looked.taken))
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


async def take(connection: asyncpg.Connection, tenant_id: int, import_id: int, asker: Asker) -> File:
    """Take the next rows of a list, and return how far it is. Raises NotFoundError."""
    found = await import_files.file(connection, tenant_id, import_id, held=True)
    lines = await import_files.rows(connection, import_id, found.looked_at, AT_ONCE)
    if not lines:
        return found
    looked = await look(connection, tenant_id, found, lines, asker.now, with_keys=found.registers)
    orders = 0
    if found.registers:
        orders = await bulk_orders.register(connection, tenant_id, found, looked.taken, asker)
    await import_keys.drop(connection, import_id, found.looked_at + len(lines))
    await import_files.looked_at(
        connection, tenant_id, import_id, len(lines),
        devices=looked.devices, assignments=looked.assignments, refused=looked.refused,
    )  # fmt: skip
    detail = {
        "import": import_id,
        "rows": len(lines),
        "devices": looked.devices,
        "refused": len(looked.refused),
        "orders": orders,
        "keeps_keys": found.registers and found.keep_keys,
    }
    await audit.append_own(connection, "devices.imported", tenant_id=tenant_id, subject=found.name, detail=detail)
    return await import_files.file(connection, tenant_id, import_id)
