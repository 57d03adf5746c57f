"""Of what nothing is told for a while, because somebody said so."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.delivery.spells import ending

INSERT_SILENCE: Final = """
INSERT INTO silences (tenant_id, rule_id, site_id, point_id, during, reason, created_by)
SELECT $1, rule_id, site_id, point_id, tstzrange($5, $6), $7, $8
  FROM (VALUES ($2::integer, $3::integer, $4::integer)) AS asked (rule_id, site_id, point_id)
 WHERE (rule_id IS NULL OR EXISTS (SELECT FROM rules WHERE rules.rule_id = asked.rule_id AND tenant_id = $1))
   AND (site_id IS NULL OR EXISTS (SELECT FROM sites WHERE sites.site_id = asked.site_id AND tenant_id = $1))
   AND (point_id IS NULL OR EXISTS (SELECT FROM points JOIN sites USING (site_id)
                                     WHERE points.point_id = asked.point_id AND tenant_id = $1))
RETURNING silence_id
"""


async def silence(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    rule_id: int | None = None,
    site_id: int | None = None,
    point_id: int | None = None,
    since: datetime,
    until: datetime,
    reason: str,
    who: str,
) -> int:
    """Tell nothing of a rule, a site, a point (all that are given), or the tenant until then; return its id.

    Raises NotFoundError when one of them is not the tenant's.
    """
    found = await connection.fetchval(INSERT_SILENCE, tenant_id, rule_id, site_id, point_id, since, until, reason, who)
    if found is None:
        raise NotFoundError("no such rule, site or point")
    return int(found)


class Silence(NamedTuple):
    """Of what nothing is told until then; all None: of the tenant."""

    silence_id: int
    rule_id: int | None
    site_id: int | None
    point_id: int | None
    since: datetime
    until: datetime
    reason: str
    created_by: str


_GOING: Final = """
SELECT silence_id, rule_id, site_id, point_id, lower(during) AS since, upper(during) AS until, reason, created_by
  FROM silences
 WHERE tenant_id = $1
   AND upper(during) > $2
"""

SELECT_SILENCES: Final = _GOING + " ORDER BY silence_id\n LIMIT 1000\n"
SELECT_SILENCE: Final = _GOING + "   AND silence_id = $3\n"
SELECT_SILENCE_HELD: Final = f"{SELECT_SILENCE}   FOR UPDATE\n"


async def silences(connection: asyncpg.Connection, tenant_id: int, now: datetime) -> list[Silence]:
    """Return the silences of a tenant that go on or are to come."""
    return [Silence(**row) for row in await connection.fetch(SELECT_SILENCES, tenant_id, now)]


async def silence_of(
    connection: asyncpg.Connection, tenant_id: int, silence_id: int, now: datetime, *, held: bool = False
) -> Silence:
    """Return a silence that goes on or is to come; `held` keeps others from changing it until the transaction ends.

    Raises NotFoundError.
    """
    statement = SELECT_SILENCE_HELD if held else SELECT_SILENCE
    row = await connection.fetchrow(statement, tenant_id, now, silence_id)
    if row is None:
        raise NotFoundError(f"no silence {silence_id} that goes on")
    return Silence(**row)


END_SILENCE: Final = ending("silences", "silence_id", "silence")


async def end_silence(connection: asyncpg.Connection, tenant_id: int, silence_id: int, now: datetime) -> None:
    """End a silence before its time, or call it off: what it held is looked at again at once. Raises NotFoundError."""
    if await connection.fetchval(END_SILENCE, tenant_id, silence_id, now) is None:
        raise NotFoundError(f"no silence {silence_id} that goes on")
