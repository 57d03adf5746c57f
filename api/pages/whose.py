"""Whose menu stands beside a page that is nobody's: one's account, a search."""

import asyncpg

from domain.errors import NotFoundError
from store.reading import territory
from store.reading.territory import Tenant


async def tenant_beside(connection: asyncpg.Connection, slug: str) -> Tenant | None:
    """Return the tenant whose pages one comes from, the only one that the reader sees, or None."""
    try:
        if slug:
            return await territory.tenant_by_slug(connection, slug)
    except NotFoundError:
        return None
    page = await territory.tenants(connection, limit=2)
    return page.items[0] if len(page.items) == 1 else None
