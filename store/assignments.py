"""Which device measures which point, and since when. A point's series goes on when its device is replaced."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError, SamaraError


class AssignmentError(SamaraError):
    """The device or the point was assigned otherwise since a later moment; assignments are changed forwards."""


class _Assignment(NamedTuple):
    """One that goes on: since when, None if it always did."""

    assignment_id: int
    device_id: int
    point_id: int
    since: datetime | None


# Both rows are held until the end of the transaction, so that two assignments of one device or point take turns.
SELECT_DEVICE_FOR_UPDATE: Final = """
SELECT tenant_id FROM devices WHERE device_id = $1 FOR NO KEY UPDATE
"""

SELECT_POINT_FOR_UPDATE: Final = """
SELECT of_tenant_id FROM points WHERE point_id = $1 FOR NO KEY UPDATE
"""

SELECT_OPEN: Final = """
SELECT assignment_id, device_id, point_id, lower(during) AS since
  FROM assignments
 WHERE (device_id = $1 OR point_id = $2)
   AND upper_inf(during)
"""

# The first of both begins with time: what the device measured before it was declared is the point's.
INSERT_ASSIGNMENT: Final = """
INSERT INTO assignments (device_id, point_id, during)
SELECT $1, $2, tstzrange(CASE WHEN EXISTS (SELECT FROM assignments WHERE device_id = $1 OR point_id = $2)
                              THEN $3::timestamptz END, NULL)
"""


async def assign(connection: asyncpg.Connection, device_id: int, point_id: int, at: datetime) -> bool:
    """Let the device measure the point from `at` on; return False if it does already.

    What the device measured until then keeps it, and so does the point the device that measured it. The first
    device of a point, when it never measured another, has always measured it. Raises NotFoundError, and
    AssignmentError when either was assigned at a later moment than `at`, or when they are of two tenants.
    """
    async with connection.transaction():
        owner = await connection.fetchval(SELECT_DEVICE_FOR_UPDATE, device_id)
        place = await connection.fetchval(SELECT_POINT_FOR_UPDATE, point_id)
        if owner is None or place is None:
            raise NotFoundError(f"no device {device_id} or no point {point_id}")
        if owner != place:
            raise AssignmentError(f"device {device_id} and point {point_id} are not of one tenant")
        going_on = [_Assignment(**row) for row in await connection.fetch(SELECT_OPEN, device_id, point_id)]
        if any((one.device_id, one.point_id) == (device_id, point_id) for one in going_on):
            return False
        for one in going_on:
            await _close(connection, one, at)
        try:
            await connection.execute(INSERT_ASSIGNMENT, device_id, point_id, at)
        except asyncpg.ExclusionViolationError as error:
            raise AssignmentError from error
    return True


SELECT_OPEN_OF_DEVICE: Final = """
SELECT assignment_id, device_id, point_id, lower(during) AS since
  FROM assignments
 WHERE device_id = $1
   AND upper_inf(during)
   FOR UPDATE
"""


async def release(connection: asyncpg.Connection, device_id: int, at: datetime) -> bool:
    """Let the device measure nothing from `at` on; return False if it does not. Raises AssignmentError."""
    async with connection.transaction():
        row = await connection.fetchrow(SELECT_OPEN_OF_DEVICE, device_id)
        if row is not None:
            await _close(connection, _Assignment(**row), at)
    return row is not None


UPDATE_CLOSED: Final = """
UPDATE assignments SET during = tstzrange(lower(during), $2) WHERE assignment_id = $1
"""

DELETE_ASSIGNMENT: Final = """
DELETE FROM assignments WHERE assignment_id = $1
"""


async def _close(connection: asyncpg.Connection, open_one: _Assignment, at: datetime) -> None:
    if open_one.since is not None and open_one.since > at:
        raise AssignmentError(f"device {open_one.device_id} measures point {open_one.point_id} since {open_one.since}")
    if open_one.since == at:
        await connection.execute(DELETE_ASSIGNMENT, open_one.assignment_id)
    else:
        await connection.execute(UPDATE_CLOSED, open_one.assignment_id, at)


# What it said from then on is the new tenant's, and what it said before stays the former's.
SELECT_MOVE: Final = """
SELECT move_device($1, $2, $3)
"""


async def move(connection: asyncpg.Connection, device_id: int, tenant_id: int, at: datetime) -> None:
    """Give the device to another tenant from `at` on. Its former points keep what it measured until then."""
    async with connection.transaction():
        if await connection.fetchval(SELECT_DEVICE_FOR_UPDATE, device_id) is None:
            raise NotFoundError(f"no device {device_id}")
        await release(connection, device_id, at)
        await connection.execute(SELECT_MOVE, device_id, tenant_id, at)
