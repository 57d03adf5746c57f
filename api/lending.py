"""From whom to whom a device may be lent or given."""

import asyncpg
from aiohttp import web

from api.access import INSTALL
from api.problems import NO_SUCH_TAKER, ProblemError
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store.access.bearer import may
from store.reading.territory import Tenant, tenant_by_slug


async def both_of(request: web.Request, connection: asyncpg.Connection, taker_slug: str) -> tuple[Tenant, Tenant]:
    """Return the tenant of the request and the one that takes a device; the connection shows the first from then on.

    Raises what `tenant_of` does, and ProblemError for a taker that there is not, or on which the account may not
    install: the same words for both.
    """
    taker = None
    try:
        found = await tenant_by_slug(connection, taker_slug)
    except NotFoundError:
        pass
    else:
        taker = found if await may(connection, found.tenant_id, INSTALL) else None
    tenant = await tenant_of(request, connection)
    if taker is None or taker.tenant_id == tenant.tenant_id:
        raise ProblemError(NO_SUCH_TAKER)
    return tenant, taker
