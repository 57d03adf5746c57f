"""Works that are planned or go on: what they set off is told at their end, if it still is so."""

from datetime import datetime
from typing import Final

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime

from api import models, tenancy
from api.access import MANAGE, READ, account_of, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.models import Resource
from api.parameters import Asked, Id, IdPath, OfTenant, Text
from api.problems import NO_SUCH_MOMENT, ONE_PLACE, ProblemError
from store.access import audit
from store.delivery import works

PATH: Final = "/api/v1/maintenance-windows"


class NewMaintenanceWindow(Asked):
    """Where something is worked on, from now on unless said: a site, a point or a gateway, else the whole tenant."""

    site_id: Id | None = None
    point_id: Id | None = None
    gateway_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime
    reason: Text


class MaintenanceWindow(Resource):
    """Where something is worked on, why, by whose word."""

    id: int
    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    since: datetime
    until: datetime
    reason: str
    created_by: str


@require(READ)
async def list_works(request: web.Request, query: OfTenant) -> models.Page[MaintenanceWindow]:
    """List the works that go on, or will."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await works.works_of(connection, tenant.tenant_id, request.app[CLOCK]())
    return models.Page[MaintenanceWindow](items=[_window(one) for one in found], next_cursor=None)


@require(READ)
async def get_works(request: web.Request, path: IdPath, query: OfTenant) -> MaintenanceWindow:
    """Tell works that go on or are to come."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _window(await works.one_of(connection, tenant.tenant_id, path.id, request.app[CLOCK]()))


async def _held_works(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> MaintenanceWindow:
    tenant = await tenancy.tenant_of(request, connection)
    return _window(await works.one_of(connection, tenant.tenant_id, path.id, request.app[CLOCK](), held=True))


def _window(found: works.Works) -> MaintenanceWindow:
    fields = found._asdict()
    del fields["place"]
    return MaintenanceWindow(id=fields.pop("window_id"), **fields)


@require(MANAGE)
async def create_works(
    request: web.Request, connection: asyncpg.Connection, body: NewMaintenanceWindow
) -> MaintenanceWindow:
    """Announce works. Everything is recorded meanwhile, and what still goes on at their end is told."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    since = max(body.since or now, now)
    if body.until <= since:
        raise ProblemError(NO_SUCH_MOMENT, "`until` is past, or before `since`.")
    fields, who = body.model_dump(exclude={"since"}), account_of(request).called
    where = {name: fields[name] for name in ("site_id", "point_id", "gateway_id")}
    if len([one for one in where.values() if one is not None]) > 1:
        raise ProblemError(ONE_PLACE)
    window_id = await works.add_works(connection, tenant.tenant_id, since=since, who=who, **fields)
    detail = {"since": since.isoformat(), "until": body.until.isoformat()} | where
    subject = str(window_id)
    await audit.append_own(connection, "works.announced", tenant_id=tenant.tenant_id, subject=subject, detail=detail)
    return MaintenanceWindow(id=window_id, since=since, created_by=who, **fields)


@require(MANAGE)
async def end_works(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """End works before their time, or call them off."""
    tenant = await tenancy.tenant_of(request, connection)
    await works.end_works(connection, tenant.tenant_id, path.id, request.app[CLOCK]())
    await audit.append_own(connection, "works.ended", tenant_id=tenant.tenant_id, subject=str(path.id))


ROUTES: Final = (
    get(PATH, list_works),
    post(PATH, create_works, query=OfTenant, problems=(NO_SUCH_MOMENT, ONE_PLACE)),
    get(f"{PATH}/{{id}}", get_works),
    delete(f"{PATH}/{{id}}", end_works, query=OfTenant, held=_held_works),
)
