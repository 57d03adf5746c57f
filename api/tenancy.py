"""Whose data a request is about. The one function that accounts and roles will replace."""

import re
from typing import Final

import asyncpg
from aiohttp import web

from api.problems import invalid_parameter
from domain.errors import NotFoundError
from store.reading.territory import Tenant, tenant_by_slug

PARAMETER: Final = "tenant"
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


async def tenant_of(request: web.Request, connection: asyncpg.Connection) -> Tenant:
    """Return the tenant that the address names (`/t/<slug>`) or that `?tenant=` does.

    Raises ProblemError when none is named, and NotFoundError when there is no such tenant.
    """
    slug = request.match_info.get("slug") or request.query.get(PARAMETER)
    if slug is None:
        raise invalid_parameter(PARAMETER, "missing", "the slug of a tenant")
    if _SLUG.match(slug) is None:
        raise NotFoundError
    return await tenant_by_slug(connection, slug)
