"""Read entities: one statement for a page of them."""

from typing import Any

import asyncpg

from store.sensorthings.statements import Asked, Statement
from store.sensorthings.syntax import QueryError


async def entities(connection: asyncpg.Connection, tenant_id: int, asked: Asked) -> list[dict[str, Any]]:
    """Return a page of rows, `top` + 1 of them if there are more. Raises QueryError for what cannot be asked."""
    statement = Statement(tenant_id)
    sql = statement.select(asked)
    try:
        return [dict(row) for row in await connection.fetch(sql, *statement.parameters)]
    except asyncpg.DataError as error:  # a division by zero, a number too large
        raise QueryError(str(error)) from error


async def count(connection: asyncpg.Connection, tenant_id: int, asked: Asked) -> int:
    """Return how many rows there are in all. Raises QueryError."""
    statement = Statement(tenant_id)
    sql = statement.select(asked, counted=True)
    try:
        found: int = await connection.fetchval(sql, *statement.parameters)
    except asyncpg.DataError as error:
        raise QueryError(str(error)) from error
    return found
