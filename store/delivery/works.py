"""Works that are planned or go on: what they set off is recorded, and told at their end if it still is so."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.delivery.spells import ending

# Antennas are the network's.
INSERT_WORKS: Final = """
INSERT INTO maintenance_windows (tenant_id, site_id, point_id, gateway_id, during, reason, created_by)
SELECT $1, site_id, point_id, gateway_id, tstzrange($5, $6), $7, $8
  FROM (VALUES ($2::integer, $3::integer, $4::integer)) AS asked (site_id, point_id, gateway_id)
 WHERE (site_id IS NULL OR EXISTS (SELECT FROM sites WHERE sites.site_id = asked.site_id AND tenant_id = $1))
   AND (point_id IS NULL OR EXISTS (SELECT FROM points JOIN sites USING (site_id)
                                     WHERE points.point_id = asked.point_id AND tenant_id = $1))
   AND (gateway_id IS NULL OR runs_network($1) AND EXISTS (SELECT FROM gateways
                                                            WHERE gateways.gateway_id = asked.gateway_id))
RETURNING window_id
"""


async def add_works(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    site_id: int | None = None,
    point_id: int | None = None,
    gateway_id: int | None = None,
    since: datetime,
    until: datetime,
    reason: str,
    who: str,
) -> int:
    """Announce works at a site, at a point or on an antenna (one of them), or everywhere; return their number.

    Raises NotFoundError when it is not the tenant's.
    """
    asked = (site_id, point_id, gateway_id)
    found = await connection.fetchval(INSERT_WORKS, tenant_id, *asked, since, until, reason, who)
    if found is None:
        raise NotFoundError("no such site, point or antenna")
    return int(found)


class Works(NamedTuple):
    """Where something is worked on, by whose word; all None: everywhere. `place` is what the site or so is called."""

    window_id: int
    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    since: datetime
    until: datetime
    reason: str
    created_by: str
    place: str


_GOING: Final = """
SELECT window_id, works.site_id, works.point_id, works.gateway_id, lower(during) AS since, upper(during) AS until,
       reason, created_by,
       coalesce(sites.name, points.name || ', ' || its.name, nullif(gateways.name, ''), gateway_eui, '') AS place
  FROM maintenance_windows AS works
  LEFT JOIN sites ON sites.site_id = works.site_id
  LEFT JOIN points ON points.point_id = works.point_id
  LEFT JOIN sites AS its ON its.site_id = points.site_id
  LEFT JOIN gateways ON gateways.gateway_id = works.gateway_id
 WHERE works.tenant_id = $1
   AND upper(during) > $2
"""
SELECT_WORKS: Final = _GOING + " ORDER BY lower(during), window_id\n LIMIT 1000\n"
SELECT_ONE: Final = _GOING + "   AND window_id = $3\n"
SELECT_ONE_HELD: Final = f"{SELECT_ONE}   FOR UPDATE OF works\n"


async def works_of(connection: asyncpg.Connection, tenant_id: int, now: datetime) -> list[Works]:
    """Return the works of a tenant that go on or are to come, the first ones first."""
    return [Works(**row) for row in await connection.fetch(SELECT_WORKS, tenant_id, now)]


async def one_of(
    connection: asyncpg.Connection, tenant_id: int, window_id: int, now: datetime, *, held: bool = False
) -> Works:
    """Return works that go on or are to come; `held` keeps others from changing them until the transaction ends.

    Raises NotFoundError.
    """
    statement = SELECT_ONE_HELD if held else SELECT_ONE
    row = await connection.fetchrow(statement, tenant_id, now, window_id)
    if row is None:
        raise NotFoundError(f"no works {window_id} that go on")
    return Works(**row)


END_WORKS: Final = ending("maintenance_windows", "window_id", "works")


async def end_works(connection: asyncpg.Connection, tenant_id: int, window_id: int, now: datetime) -> None:
    """End works before their time, or call them off: what they held is looked at at once. Raises NotFoundError."""
    if await connection.fetchval(END_WORKS, tenant_id, window_id, now) is None:
        raise NotFoundError(f"no works {window_id} that go on")


SELECT_GATEWAYS_AT_WORK: Final = """
SELECT gateway_id, max(upper(during)) AS until
  FROM maintenance_windows
 WHERE gateway_id IS NOT NULL
   AND during @> $1::timestamptz
 GROUP BY gateway_id
"""


async def gateways_at_work(connection: asyncpg.Connection, now: datetime) -> dict[int, datetime]:
    """Return the antennas that are worked on now, and until when."""
    return {row["gateway_id"]: row["until"] for row in await connection.fetch(SELECT_GATEWAYS_AT_WORK, now)}
