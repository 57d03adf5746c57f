"""Read entities: one statement for a page of them, and one for the times of its datastreams."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from store.sensorthings.statements import Asked, Statement
from store.sensorthings.syntax import QueryError


async def entities(connection: asyncpg.Connection, tenant_id: int, asked: Asked) -> list[dict[str, Any]]:
    """Return a page of rows, `top` + 1 of them if there are more. Raises QueryError for what cannot be asked."""
    statement = Statement(tenant_id)
    sql = statement.select(asked)
    try:
        rows = [dict(row) for row in await connection.fetch(sql, *statement.parameters)]
    except asyncpg.DataError as error:  # a division by zero, a number too large
        raise QueryError(str(error)) from error
    return await _timed(connection, rows) if asked.entities == "Datastreams" else rows


# By the key of measurements, from both its ends, while a device was at the point.
SELECT_SPANS: Final = """
SELECT stream.id, min(first_at) AS first_at, max(last_at) AS last_at
  FROM unnest($1::text[], $2::integer[], $3::smallint[], $4::smallint[]) AS stream (id, point_id, quantity_id, channel)
  JOIN assignments USING (point_id)
 CROSS JOIN LATERAL measured_span(device_id, quantity_id, channel, lower(during), upper(during))
 GROUP BY stream.id
"""


async def _timed(connection: asyncpg.Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return datastreams with when they were first and last measured (None: what they had is gone)."""
    keys = [[row[name] for row in rows] for name in ("id", "point_id", "quantity_id", "channel")]
    spans = {row["id"]: dict(row) for row in await connection.fetch(SELECT_SPANS, *keys)} if rows else {}
    return [{**row, **spans.get(row["id"], {"first_at": None, "last_at": None})} for row in rows]


async def count(connection: asyncpg.Connection, tenant_id: int, asked: Asked) -> int:
    """Return how many rows there are in all. Raises QueryError."""
    statement = Statement(tenant_id)
    sql = statement.select(asked, counted=True)
    try:
        found: int = await connection.fetchval(sql, *statement.parameters)
    except asyncpg.DataError as error:
        raise QueryError(str(error)) from error
    return found
