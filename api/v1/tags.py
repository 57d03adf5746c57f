"""Points grouped by words of the tenant's own: what a rule may speak of."""

from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from api import models, tenancy
from api.access import INSTALL, READ, require
from api.context import reader
from api.endpoint import get, post
from api.models import Resource
from api.parameters import Asked, Id, OfTenant
from domain.errors import NotFoundError
from store.alerting import tags as stored
from store.alerting.subjects import is_foreign

PATH: Final = "/api/v1/tags"

Word = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9:_-]{0,62}$")]


class Tag(Resource):
    """A word, and the points that have it."""

    tag: str
    points: list[int]


class NewTag(Asked):
    """Which points have a tag, all of them: none takes it away."""

    tag: Word
    points: Annotated[list[Id], Field(max_length=10_000)]


@require(READ)
async def list_tags(request: web.Request, query: OfTenant) -> models.Page[Tag]:
    """List the tags of a tenant's points."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await stored.tags(connection, tenant.tenant_id)
    return models.Page[Tag](items=[Tag(tag=one.tag, points=one.point_ids) for one in found], next_cursor=None)


@require(INSTALL)
async def set_tag(request: web.Request, connection: asyncpg.Connection, body: NewTag) -> None:
    """Say which points have a tag. Rules that speak of it follow within ten minutes."""
    tenant = await tenancy.tenant_of(request, connection)
    if await is_foreign(connection, tenant.tenant_id, point_ids=body.points, site_id=None, gateway_id=None):
        raise NotFoundError
    await stored.set_tag(connection, tenant.tenant_id, body.tag, body.points)


ROUTES: Final = (get(PATH, list_tags), post(PATH, set_tag, query=OfTenant))
