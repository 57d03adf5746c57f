"""What is changed on the ground, of one tenant at a time: its sites, points and devices, one thing at a time.

A thing of another tenant is not there. What stands against a change is told without saying whose it is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError, SamaraError
from domain.uses import Use
from store.parts import judged


class Elsewhere(NamedTuple):
    """A DevEUI that a tenant declares and another has: what a supervisor should look at."""

    tenant_id: int
    dev_eui: str


class RefusedError(SamaraError):
    """Something is there already that does not allow it; nothing was changed."""

    elsewhere: Elsewhere | None = None


@contextmanager
def _refused(why: str) -> Iterator[None]:
    try:
        yield
    except (asyncpg.IntegrityConstraintViolationError, asyncpg.InsufficientPrivilegeError) as error:
        raise RefusedError(why) from error


INSERT_SITE: Final = """
INSERT INTO sites (tenant_id, name, kind, latitude_deg, longitude_deg) VALUES ($1, $2, $3, $4, $5) RETURNING site_id
"""


async def add_site(connection: asyncpg.Connection, tenant_id: int, values: Mapping[str, Any]) -> int:
    """Make a site of a tenant (name, kind, latitude_deg, longitude_deg) and return its id. Raises RefusedError."""
    given = [values.get(name) for name in ("name", "kind", "latitude_deg", "longitude_deg")]
    with _refused("There is a site of that name."):
        site_id: int = await connection.fetchval(INSERT_SITE, tenant_id, *given)
    return site_id


SELECT_SITE: Final = """
SELECT site_id, name, kind, latitude_deg, longitude_deg FROM sites WHERE tenant_id = $1 AND site_id = $2
"""

SELECT_SITE_HELD: Final = f"{SELECT_SITE} FOR UPDATE"


async def site(connection: asyncpg.Connection, tenant_id: int, site_id: int, *, held: bool = False) -> dict[str, Any]:
    """Return a site; `held` keeps others from changing it until the transaction ends. Raises NotFoundError."""
    return await _one(connection, SELECT_SITE_HELD if held else SELECT_SITE, tenant_id, site_id)


async def _one(connection: asyncpg.Connection, statement: str, *key: object) -> dict[str, Any]:
    row = await connection.fetchrow(statement, *key)
    if row is None:
        raise NotFoundError
    return dict(row)


UPDATE_SITE: Final = """
UPDATE sites SET name = $3, kind = $4, latitude_deg = $5, longitude_deg = $6 WHERE tenant_id = $1 AND site_id = $2
"""


async def change_site(
    connection: asyncpg.Connection, tenant_id: int, site_id: int, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Change what is given of a site, and return the whole. Raises NotFoundError, RefusedError."""
    changed = {**await site(connection, tenant_id, site_id, held=True), **values}
    given = [changed[name] for name in ("name", "kind", "latitude_deg", "longitude_deg")]
    with _refused("There is a site of that name."):
        await connection.execute(UPDATE_SITE, tenant_id, site_id, *given)
    return changed


DELETE_SITE: Final = """
DELETE FROM sites WHERE tenant_id = $1 AND site_id = $2 RETURNING site_id
"""


async def remove_site(connection: asyncpg.Connection, tenant_id: int, site_id: int) -> None:
    """Take away a site that has no points. Raises NotFoundError, RefusedError."""
    with _refused("The site has points."):
        found = await connection.fetchval(DELETE_SITE, tenant_id, site_id)
    if found is None:
        raise NotFoundError


class Point(NamedTuple):
    """A point of a site, and the device that measures it now. `is_individual`: see domain/personal.py.

    `use` is what it is metered for (domain/uses.py); `part_of` the point that counts it as well.
    """

    point_id: int
    site_id: int
    name: str
    dev_eui: str | None
    is_individual: bool | None
    use: Use | None = None
    part_of: int | None = None


INSERT_POINT: Final = """
INSERT INTO points (site_id, name, is_individual, use, part_of)
SELECT site_id, $3, $4, $5, $6 FROM sites WHERE tenant_id = $1 AND site_id = $2
RETURNING point_id
"""


async def add_point(
    connection: asyncpg.Connection,
    tenant_id: int,
    site_id: int,
    name: str,
    *,
    is_individual: bool | None = None,
    use: Use | None = None,
    part_of: int | None = None,
) -> Point:
    """Make a point of a site. Raises NotFoundError if the tenant has no such site, RefusedError, PartError."""
    with _refused("There is a point of that name at the site."), judged():
        point_id = await connection.fetchval(INSERT_POINT, tenant_id, site_id, name, is_individual, use, part_of)
    if point_id is None:
        raise NotFoundError
    return Point(point_id, site_id, name, None, is_individual, use, part_of)


SELECT_POINT: Final = """
SELECT point_id, site_id, points.name,
       (SELECT dev_eui
          FROM assignments
          JOIN devices USING (device_id)
         WHERE assignments.point_id = points.point_id AND upper_inf(during)) AS dev_eui,
       is_individual, use, part_of
  FROM points
 WHERE of_tenant_id = $1 AND point_id = $2
"""

SELECT_POINT_HELD: Final = f"{SELECT_POINT} FOR UPDATE OF points"


async def point(connection: asyncpg.Connection, tenant_id: int, point_id: int, *, held: bool = False) -> Point:
    """Return a point; `held` keeps others from changing it until the transaction ends. Raises NotFoundError."""
    return Point(**await _one(connection, SELECT_POINT_HELD if held else SELECT_POINT, tenant_id, point_id))


UPDATE_POINT: Final = """
UPDATE points SET name = $2, is_individual = $3, use = $4, part_of = $5 WHERE point_id = $1
"""


async def change_point(
    connection: asyncpg.Connection, tenant_id: int, point_id: int, values: Mapping[str, Any]
) -> Point:
    """Change what is given of a point (name, is_individual, use, part_of), and return it.

    Raises NotFoundError, RefusedError, PartError.
    """
    found = (await point(connection, tenant_id, point_id, held=True))._replace(**values)
    with _refused("There is a point of that name at the site."), judged():
        await connection.execute(UPDATE_POINT, point_id, found.name, found.is_individual, found.use, found.part_of)
    return found


INSERT_DEVICE: Final = """
INSERT INTO devices (dev_eui, tenant_id, name, model_id) VALUES ($1, $2, $3, $4) RETURNING device_id
"""

# The same whoever has it: that another tenant does is not this one's business.
_DEVICE: Final = "A device of this DevEUI, or of this model, cannot be declared."


async def add_device(
    connection: asyncpg.Connection, tenant_id: int, dev_eui: str, name: str, model_id: str | None
) -> None:
    """Declare a device. Raises RefusedError."""
    try:
        with _refused(_DEVICE):
            await connection.execute(INSERT_DEVICE, dev_eui, tenant_id, name, model_id)
    except RefusedError as error:
        if isinstance(error.__cause__, asyncpg.UniqueViolationError):
            error.elsewhere = Elsewhere(tenant_id, dev_eui)
        raise


SELECT_DEVICE: Final = """
SELECT device_id, name, model_id FROM devices WHERE tenant_id = $1 AND dev_eui = $2
"""

SELECT_DEVICE_HELD: Final = f"{SELECT_DEVICE} FOR UPDATE"


async def device(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, *, held: bool = False) -> dict[str, Any]:
    """Return a device as it is declared; `held` keeps others from changing it until the transaction ends.

    Raises NotFoundError.
    """
    return await _one(connection, SELECT_DEVICE_HELD if held else SELECT_DEVICE, tenant_id, dev_eui)


UPDATE_DEVICE: Final = """
UPDATE devices SET name = $2, model_id = $3 WHERE device_id = $1
"""


async def change_device(
    connection: asyncpg.Connection, tenant_id: int, dev_eui: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Change what is given of a device, and return its name and model. Raises NotFoundError, RefusedError."""
    changed = {**await device(connection, tenant_id, dev_eui, held=True), **values}
    with _refused(_DEVICE):
        await connection.execute(UPDATE_DEVICE, changed["device_id"], changed["name"], changed["model_id"])
    return changed


class Assignment(NamedTuple):
    """Which device measures which point, since when and until when (None: it always did, it still does)."""

    assignment_id: int
    dev_eui: str
    point_id: int
    started_at: datetime | None
    ended_at: datetime | None


SELECT_ASSIGNMENTS: Final = """
SELECT assignment_id, dev_eui, point_id, lower(during) AS started_at, upper(during) AS ended_at
  FROM assignments
  JOIN devices USING (device_id)
 WHERE of_tenant_id = $1
   AND ($2::text IS NULL OR dev_eui = $2)
   AND ($3::integer IS NULL OR point_id = $3)
   AND assignment_id > $4
 ORDER BY assignment_id
 LIMIT $5
"""


async def assignments(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    dev_eui: str | None,
    point_id: int | None,
    after: int = 0,
    limit: int = 1000,
) -> list[Assignment]:
    """Return the assignments of a tenant's points, of one device or point if given, in the order of their ids."""
    rows = await connection.fetch(SELECT_ASSIGNMENTS, tenant_id, dev_eui, point_id, after, limit)
    return [Assignment(**row) for row in rows]


SELECT_PLACE: Final = """
SELECT device_id, point_id
  FROM devices, points
 WHERE tenant_id = $1 AND dev_eui = $2 AND of_tenant_id = $1 AND point_id = $3
"""


async def ids(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, point_id: int) -> tuple[int, int]:
    """Return the ids of a device and of a point of one tenant. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_PLACE, tenant_id, dev_eui, point_id)
    if row is None:
        raise NotFoundError
    return row["device_id"], row["point_id"]


SELECT_GOING_ON: Final = """
SELECT device_id
  FROM assignments
 WHERE of_tenant_id = $1 AND assignment_id = $2 AND upper_inf(during)
"""


async def device_assigned(connection: asyncpg.Connection, tenant_id: int, assignment_id: int) -> int:
    """Return the device of an assignment that goes on. Raises NotFoundError."""
    device_id: int | None = await connection.fetchval(SELECT_GOING_ON, tenant_id, assignment_id)
    if device_id is None:
        raise NotFoundError
    return device_id
