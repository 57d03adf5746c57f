"""Sensors put in service, replaced, moved and taken away: what technicians do, each act in one transaction.

Which device measures which point is said by assignments; `installations` keeps who did it and what they noted.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store import installing
from store.assignments import assign, release
from store.installing import RefusedError


class Place(NamedTuple):
    """Where a device goes: a point that is there, or one by its name; of a site that is there, or one by its name.

    A site or a point of that name is taken when there is one. `model_id` and `name` are the device's, '' and None
    leave it as it is. Degrees are WGS 84: of a site that has no position yet, and of the act.
    """

    site_id: int | None = None
    site_name: str = ""
    site_kind: str = "other"
    point_id: int | None = None
    point_name: str = ""
    model_id: str | None = None
    name: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None


class Act(NamedTuple):
    """What was done: when, what was noted, and what the meter showed before and after.

    `replaces`: whatever measured the point is taken away. `moves`: whatever the device measured, it measures no longer.
    """

    done_at: datetime
    account_id: int | None
    note: str = ""
    replaces: bool = False
    moves: bool = False
    former_index: float | None = None
    new_index: float | None = None


class Done(NamedTuple):
    """What became of it. `was_done`: it was so already, and nothing was changed."""

    installation_id: int
    act: Literal["installed", "replaced", "moved"]
    site_id: int
    point_id: int
    was_done: bool = False


class OccupiedError(RefusedError):
    """Another device measures the point: say that it is replaced, or choose another point."""

    def __init__(self, dev_eui: str) -> None:
        super().__init__(f"{dev_eui} measures the point: say that it is replaced, or choose another point.")
        self.dev_eui = dev_eui


class ElsewhereError(RefusedError):
    """The device measures another point: say that it is moved."""

    def __init__(self, point_id: int, point_name: str, site_name: str) -> None:
        super().__init__(f"The device measures {point_name!r} of {site_name!r}: say that it is moved.")
        self.point_id = point_id
        self.point_name = point_name
        self.site_name = site_name


INSERT_INSTALLATION: Final = """
INSERT INTO installations (tenant_id, device_id, point_id, act, done_at, account_id, note, former_dev_eui,
                           former_index, new_index, latitude_deg, longitude_deg)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
RETURNING installation_id
"""


async def put_in_service(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, place: Place, act: Act) -> Done:
    """Declare the device if need be, and let it measure the place. Doing it again changes nothing.

    Raises NotFoundError, RefusedError (OccupiedError, ElsewhereError), AssignmentError.
    """
    async with connection.transaction():
        site_id, point_id = await _point(connection, tenant_id, place)
        device_id = await _device(connection, tenant_id, dev_eui, place)
        there = await _measuring(connection, point_id)
        before = await _measured(connection, device_id)
        if there == dev_eui:
            last = await connection.fetchval(SELECT_LAST_OF_POINT, device_id, point_id)
            if last is not None:
                return Done(last, "installed", site_id, point_id, was_done=True)
        elif there is not None and not act.replaces:
            raise OccupiedError(there)
        if before is not None and before["point_id"] != point_id and not act.moves:
            raise ElsewhereError(**before)
        await assign(connection, device_id, point_id, act.done_at)
        replaced = there if there != dev_eui else None
        is_moved = before is not None and there != dev_eui
        kind: Literal["installed", "replaced", "moved"] = (
            "replaced" if replaced else "moved" if is_moved else "installed"
        )
        installation_id = await connection.fetchval(
            INSERT_INSTALLATION, tenant_id, device_id, point_id, kind, act.done_at, act.account_id, act.note,
            replaced, act.former_index, act.new_index, place.latitude_deg, place.longitude_deg,
        )  # fmt: skip
    return Done(installation_id, kind, site_id, point_id)


async def _device(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, place: Place) -> int:
    try:
        await installing.device(connection, tenant_id, dev_eui, held=True)
    except NotFoundError:
        await installing.add_device(connection, tenant_id, dev_eui, place.name, place.model_id)
    else:
        given = {"name": place.name, "model_id": place.model_id}
        changed = {name: value for name, value in given.items() if value}
        if changed:
            await installing.change_device(connection, tenant_id, dev_eui, changed)
    found = await installing.device(connection, tenant_id, dev_eui)
    device_id: int = found["device_id"]
    return device_id


SELECT_SITE_BY_NAME: Final = """
SELECT site_id FROM sites WHERE tenant_id = $1 AND name = $2
"""

SELECT_POINT_BY_NAME: Final = """
SELECT point_id FROM points WHERE site_id = $1 AND name = $2
"""


async def _point(connection: asyncpg.Connection, tenant_id: int, place: Place) -> tuple[int, int]:
    """Return the site and the point, made if they were not there."""
    position = {"latitude_deg": place.latitude_deg, "longitude_deg": place.longitude_deg}
    if place.point_id is not None:
        found = await installing.point(connection, tenant_id, place.point_id, held=True)
        await _locate(connection, tenant_id, found.site_id, position)
        return found.site_id, found.point_id
    site_id = place.site_id or await connection.fetchval(SELECT_SITE_BY_NAME, tenant_id, place.site_name)
    if site_id is None:
        site = {"name": place.site_name, "kind": place.site_kind, **position}
        site_id = await installing.add_site(connection, tenant_id, site)
    else:
        await _locate(connection, tenant_id, site_id, position)
    point_id = await connection.fetchval(SELECT_POINT_BY_NAME, site_id, place.point_name)
    if point_id is None:
        point_id = (await installing.add_point(connection, tenant_id, site_id, place.point_name)).point_id
    return site_id, point_id


async def _locate(
    connection: asyncpg.Connection, tenant_id: int, site_id: int, position: dict[str, float | None]
) -> None:
    """Give a site a position if it has none. Raises NotFoundError."""
    site = await installing.site(connection, tenant_id, site_id)
    if site["latitude_deg"] is None and position["latitude_deg"] is not None:
        await installing.change_site(connection, tenant_id, site_id, position)


SELECT_MEASURING: Final = """
SELECT dev_eui FROM assignments JOIN devices USING (device_id) WHERE point_id = $1 AND upper_inf(during)
"""


async def _measuring(connection: asyncpg.Connection, point_id: int) -> str | None:
    """Return the device that measures a point now."""
    found: str | None = await connection.fetchval(SELECT_MEASURING, point_id)
    return found


SELECT_MEASURED: Final = """
SELECT point_id, points.name AS point_name, sites.name AS site_name
  FROM assignments
  JOIN points USING (point_id)
  JOIN sites USING (site_id)
 WHERE device_id = $1 AND upper_inf(during)
"""


async def _measured(connection: asyncpg.Connection, device_id: int) -> asyncpg.Record | None:
    """Return what a device measures now."""
    return await connection.fetchrow(SELECT_MEASURED, device_id)


SELECT_LAST_OF_POINT: Final = """
SELECT installation_id
  FROM installations
 WHERE device_id = $1 AND point_id = $2
 ORDER BY done_at DESC, installation_id DESC
 LIMIT 1
"""


async def take_away(connection: asyncpg.Connection, tenant_id: int, dev_eui: str, act: Act) -> int:
    """Let the device measure nothing: it goes into stock, and its point keeps its history.

    Raises NotFoundError, RefusedError when it measures nothing, AssignmentError.
    """
    async with connection.transaction():
        found = await installing.device(connection, tenant_id, dev_eui, held=True)
        if not await release(connection, found["device_id"], act.done_at):
            raise RefusedError("The device measures nothing: it is in stock already.")
        installation_id: int = await connection.fetchval(
            INSERT_INSTALLATION, tenant_id, found["device_id"], None, "removed", act.done_at, act.account_id,
            act.note, None, act.former_index, None, None, None,
        )  # fmt: skip
    return installation_id


SELECT_LOCATED_SITE: Final = """
SELECT site_id FROM assignments JOIN points USING (point_id) WHERE device_id = $1 AND upper_inf(during)
"""

UPDATE_NOTED: Final = """
UPDATE installations
   SET latitude_deg = coalesce($3, latitude_deg), longitude_deg = coalesce($4, longitude_deg),
       note = CASE WHEN $5 = '' THEN note ELSE $5 END
 WHERE tenant_id = $1
   AND installation_id = (SELECT installation_id
                            FROM installations
                           WHERE device_id = $2
                           ORDER BY done_at DESC, installation_id DESC
                           LIMIT 1)
"""


async def note(
    connection: asyncpg.Connection,
    tenant_id: int,
    dev_eui: str,
    *,
    latitude_deg: float | None,
    longitude_deg: float | None,
    text: str,
) -> None:
    """Add a position and a remark to the last act on a device; its site has the position from now on.

    Raises NotFoundError.
    """
    async with connection.transaction():
        found = await installing.device(connection, tenant_id, dev_eui)
        await connection.execute(UPDATE_NOTED, tenant_id, found["device_id"], latitude_deg, longitude_deg, text)
        site_id = await connection.fetchval(SELECT_LOCATED_SITE, found["device_id"])
        if latitude_deg is not None and site_id is not None:
            position = {"latitude_deg": latitude_deg, "longitude_deg": longitude_deg}
            await installing.change_site(connection, tenant_id, site_id, position)


INSERT_PHOTO: Final = """
INSERT INTO photos (device_id, taken_at, tenant_id, content) VALUES ($1, $2, $3, $4)
ON CONFLICT (device_id, taken_at) DO NOTHING
"""


async def keep_photo(
    connection: asyncpg.Connection, tenant_id: int, dev_eui: str, taken_at: datetime, content: bytes
) -> None:
    """Keep a picture (JPEG) of where a device is. Raises NotFoundError."""
    found = await installing.device(connection, tenant_id, dev_eui)
    await connection.execute(INSERT_PHOTO, found["device_id"], taken_at, tenant_id, content)
