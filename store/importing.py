"""Many sensors declared at once, row by row: what can be is, and each other row says in one word why not.

Each step is one statement for all rows. Doing it again changes nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

import asyncpg

from domain.uses import Use
from store.parts import PartError, tell_part


class Row(NamedTuple):
    """One sensor and where it measures; `line` is where it stands in the list. '' and None: not said."""

    line: int
    dev_eui: str
    name: str = ""
    model_id: str | None = None
    site: str = ""
    point: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    use: Use | None = None
    part_of: str = ""  # the name of another point of the site


class Refused(NamedTuple):
    """A row that was not taken. `why`: dev_eui, model, occupied (the point has another sensor), elsewhere, twice, part.

    `detail` is the DevEUI, the model, the DevEUI of the other sensor, what the sensor measures, what comes twice, of
    what the point cannot be a part: then the sensor measures it, and it counts by itself.
    """

    line: int
    why: Literal["dev_eui", "model", "occupied", "elsewhere", "twice", "part"]
    detail: str = ""


class Imported(NamedTuple):
    """What became of the rows: how many sensors are new, how many assignments are, and which rows were refused."""

    devices: int
    assignments: int
    refused: list[Refused]


# A plan for any list takes it for a short one, and reads all the tenant's sensors again for each of a thousand rows.
SET_PLANS: Final = """
SET LOCAL plan_cache_mode = force_custom_plan
"""

SELECT_KNOWN_MODELS: Final = """
SELECT model_id FROM models WHERE model_id = ANY ($1::text[])
"""

INSERT_DEVICES: Final = """
INSERT INTO devices (dev_eui, tenant_id, name, model_id)
SELECT dev_eui, $1, name, model_id FROM unnest($2::text[], $3::text[], $4::text[]) AS given (dev_eui, name, model_id)
    ON CONFLICT (dev_eui) DO NOTHING
"""

SELECT_DEVICES: Final = """
SELECT dev_eui, device_id, name, model_id
  FROM unnest($2::text[]) AS given (dev_eui)
  JOIN devices USING (dev_eui)
 WHERE tenant_id = $1
   FOR NO KEY UPDATE OF devices
"""

UPDATE_DEVICES: Final = """
UPDATE devices
   SET name = given.name, model_id = given.model_id
  FROM unnest($1::integer[], $2::text[], $3::text[]) AS given (device_id, name, model_id)
 WHERE devices.device_id = given.device_id
"""

INSERT_SITES: Final = """
INSERT INTO sites (tenant_id, name, latitude_deg, longitude_deg)
SELECT DISTINCT ON (name) $1, name, latitude_deg, longitude_deg
  FROM unnest($2::text[], $3::float8[], $4::float8[]) AS given (name, latitude_deg, longitude_deg)
 ORDER BY name, latitude_deg IS NULL
    ON CONFLICT (tenant_id, name) DO NOTHING
"""

INSERT_POINTS: Final = """
INSERT INTO points (site_id, name)
SELECT DISTINCT site_id, given.point
  FROM unnest($2::text[], $3::text[]) AS given (site, point)
  JOIN sites ON tenant_id = $1 AND sites.name = given.site
    ON CONFLICT (site_id, name) DO NOTHING
"""

SELECT_PLACES: Final = """
SELECT given.line, points.point_id, there.dev_eui AS there,
       other.name || ', ' || (SELECT name FROM sites WHERE site_id = other.site_id) AS measured
  FROM unnest($2::integer[], $3::integer[], $4::text[], $5::text[]) AS given (line, device_id, site, point)
  JOIN sites ON tenant_id = $1 AND sites.name = given.site
  JOIN points ON points.site_id = sites.site_id AND points.name = given.point
  LEFT JOIN (SELECT point_id, dev_eui FROM assignments JOIN devices USING (device_id) WHERE upper_inf(during)) AS there
         ON there.point_id = points.point_id
  LEFT JOIN assignments AS measured ON measured.device_id = given.device_id AND upper_inf(measured.during)
  LEFT JOIN points AS other ON other.point_id = measured.point_id
"""

# As store.assignments has it: the first of both begins with time.
INSERT_ASSIGNMENTS: Final = """
INSERT INTO assignments (device_id, point_id, during)
SELECT device_id, point_id,
       tstzrange(CASE WHEN EXISTS (SELECT FROM assignments AS past WHERE past.device_id = given.device_id)
                        OR EXISTS (SELECT FROM assignments AS past WHERE past.point_id = given.point_id)
                      THEN $3::timestamptz END, NULL)
  FROM unnest($1::integer[], $2::integer[]) AS given (device_id, point_id)
"""


async def import_rows(connection: asyncpg.Connection, tenant_id: int, rows: Sequence[Row], now: datetime) -> Imported:
    """Declare the sensors of a tenant, with their sites and points, and let them measure from `now` on.

    A sensor that measures another point, and a point that another sensor measures, are left as they are.
    """
    async with connection.transaction():
        await connection.execute(SET_PLANS)
        rows, refused = await _possible(connection, rows)
        columns = ([row.dev_eui for row in rows], [row.name for row in rows], [row.model_id for row in rows])
        status = await connection.execute(INSERT_DEVICES, tenant_id, *columns)
        found = {row["dev_eui"]: row for row in await connection.fetch(SELECT_DEVICES, tenant_id, columns[0])}
        ids: dict[str, int] = {dev_eui: row["device_id"] for dev_eui, row in found.items()}
        refused += [Refused(row.line, "dev_eui", row.dev_eui) for row in rows if row.dev_eui not in ids]
        await _change_devices(connection, [row for row in rows if row.dev_eui in ids], found)
        placed = [row for row in rows if row.dev_eui in ids and row.site and row.point]
        await _make_places(connection, tenant_id, placed)
        assigned, unplaced = await _assign(connection, tenant_id, placed, ids, now)
        apart = await _tell_parts(connection, tenant_id, placed)
    return Imported(int(status.rsplit(maxsplit=1)[-1]), assigned, sorted(refused + unplaced + apart))


async def _possible(connection: asyncpg.Connection, rows: Sequence[Row]) -> tuple[list[Row], list[Refused]]:
    """Return the rows whose model is known, and of one sensor or point the first alone; and the others."""
    asked = list({row.model_id for row in rows if row.model_id})
    known = {found["model_id"] for found in await connection.fetch(SELECT_KNOWN_MODELS, asked)}
    kept: list[Row] = []
    refused: list[Refused] = []
    seen: set[object] = set()
    for row in rows:
        place = (row.site, row.point)
        if row.model_id and row.model_id not in known:
            refused.append(Refused(row.line, "model", row.model_id))
        elif row.dev_eui in seen or (row.point and place in seen):
            refused.append(Refused(row.line, "twice", row.dev_eui if row.dev_eui in seen else row.point))
        else:
            kept.append(row)
            seen |= {row.dev_eui, place}
    return kept, refused


async def _change_devices(
    connection: asyncpg.Connection, rows: Sequence[Row], found: Mapping[str, asyncpg.Record]
) -> None:
    """Give the sensors the names and models that rows say; most are new, and have them."""
    changed = []
    for row in rows:
        device_id, name, model_id = (found[row.dev_eui][column] for column in ("device_id", "name", "model_id"))
        said = (row.name or name, row.model_id or model_id)
        if said != (name, model_id):
            changed.append((device_id, *said))
    await connection.execute(UPDATE_DEVICES, *([row[place] for row in changed] for place in range(3)))


async def _make_places(connection: asyncpg.Connection, tenant_id: int, rows: Sequence[Row]) -> None:
    sites = [row.site for row in rows]
    degrees = ([row.latitude_deg for row in rows], [row.longitude_deg for row in rows])
    await connection.execute(INSERT_SITES, tenant_id, sites, *degrees)
    wholes = [row for row in rows if row.part_of]
    await connection.execute(
        INSERT_POINTS, tenant_id, [*sites, *(row.site for row in wholes)],
        [*(row.point for row in rows), *(row.part_of for row in wholes)],
    )  # fmt: skip


SELECT_PARTS: Final = """
SELECT given.line, points.point_id, whole.point_id AS part_of
  FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[]) AS given (line, site, point, part_of)
  JOIN sites ON tenant_id = $1 AND sites.name = given.site
  JOIN points ON points.site_id = sites.site_id AND points.name = given.point
  LEFT JOIN points AS whole ON whole.site_id = sites.site_id AND whole.name = given.part_of
"""


async def _tell_parts(connection: asyncpg.Connection, tenant_id: int, rows: Sequence[Row]) -> list[Refused]:
    """Say what points are metered for, and of which others they are parts; return those that cannot be."""
    told = {row.line: row for row in rows if row.use or row.part_of}
    if not told:
        return []
    columns = zip(*((row.site, row.point, row.part_of) for row in told.values()), strict=True)
    refused = []
    for line, point_id, part_of in await connection.fetch(SELECT_PARTS, tenant_id, list(told), *map(list, columns)):
        try:
            await tell_part(connection, point_id, told[line].use, part_of)
        except PartError:
            refused.append(Refused(line, "part", told[line].part_of))
    return refused


async def _assign(
    connection: asyncpg.Connection, tenant_id: int, rows: Sequence[Row], ids: dict[str, int], now: datetime
) -> tuple[int, list[Refused]]:
    """Let the sensors measure; return how many began to, and those that cannot."""
    by_line = {row.line: row for row in rows}
    found = await connection.fetch(
        SELECT_PLACES, tenant_id, list(by_line), [ids[row.dev_eui] for row in rows],
        [row.site for row in rows], [row.point for row in rows],
    )  # fmt: skip
    refused: list[Refused] = []
    wanted: list[tuple[int, int]] = []
    for line, point_id, there, measured in found:
        row = by_line[line]
        if there == row.dev_eui:
            continue
        if there is not None:
            refused.append(Refused(line, "occupied", there))
        elif measured is not None:
            refused.append(Refused(line, "elsewhere", measured))
        else:
            wanted.append((ids[row.dev_eui], point_id))
    await connection.execute(INSERT_ASSIGNMENTS, [one for one, _ in wanted], [one for _, one in wanted], now)
    return len(wanted), refused
