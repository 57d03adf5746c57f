"""Whose data a request is about, and whether the account that asks may do there what the route does."""

import re
from typing import Final

import asyncpg
from aiohttp import web

from api.access import HEALTH, PERMISSIONS, needs_of
from api.context import TENANT_ID
from api.problems import FORBIDDEN, ProblemError, invalid_parameter
from domain.errors import NotFoundError
from store.access.bearer import narrow
from store.reading.territory import Tenant, tenant_by_slug

PARAMETER: Final = "tenant"
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


async def tenant_of(request: web.Request, connection: asyncpg.Connection) -> Tenant:
    """Return the tenant that the address names (`/t/<slug>`) or that `?tenant=` does.

    The connection shows this tenant's rows alone from here on. Raises NotFoundError when there is no such tenant or the
    account has no business there, ProblemError when none is named or the account lacks what the route needs there, and
    HTTPTemporaryRedirect when the tenant was moved to another installation.
    """
    slug = request.match_info.get("slug") or request.query.get(PARAMETER)
    if slug is None:
        raise invalid_parameter(PARAMETER, "missing", "the slug of a tenant")
    if _SLUG.match(slug) is None:
        raise NotFoundError
    tenant = await tenant_by_slug(connection, slug)
    needs = needs_of(request)
    if not await narrow(connection, tenant.tenant_id, needs if needs in PERMISSIONS else HEALTH):
        raise ProblemError(FORBIDDEN, f"It takes the permission `{needs}`, which this account has not on {slug}.")
    request[TENANT_ID] = tenant.tenant_id
    if tenant.moved_to is not None:
        raise web.HTTPTemporaryRedirect(tenant.moved_to + request.path_qs)
    return tenant
