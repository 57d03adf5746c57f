"""What nothing is told of for a while."""

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
from api.problems import NO_SUCH_MOMENT, ProblemError
from store.access import audit
from store.delivery import silences

PATH: Final = "/api/v1/silences"


class NewSilence(Asked):
    """Of what nothing is told until then, from now on unless said: a rule, a site, a point, else the whole tenant."""

    rule_id: Id | None = None
    site_id: Id | None = None
    point_id: Id | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime
    reason: Text


class Silence(Resource):
    """What is silenced, by whom, until when."""

    id: int
    rule_id: int | None
    site_id: int | None
    point_id: int | None
    since: datetime
    until: datetime
    reason: str
    created_by: str


@require(READ)
async def list_silences(request: web.Request, query: OfTenant) -> models.Page[Silence]:
    """List what is silenced now, or will be."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await silences.silences(connection, tenant.tenant_id, request.app[CLOCK]())
    return models.Page[Silence](items=[_silence(one) for one in found], next_cursor=None)


@require(READ)
async def get_silence(request: web.Request, path: IdPath, query: OfTenant) -> Silence:
    """Tell one silence that goes on or is to come."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        now = request.app[CLOCK]()
        return _silence(await silences.silence_of(connection, tenant.tenant_id, path.id, now))


async def _held_silence(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Silence:
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    return _silence(await silences.silence_of(connection, tenant.tenant_id, path.id, now, held=True))


def _silence(found: silences.Silence) -> Silence:
    fields = found._asdict()
    return Silence(id=fields.pop("silence_id"), **fields)


@require(MANAGE)
async def create_silence(request: web.Request, connection: asyncpg.Connection, body: NewSilence) -> Silence:
    """Tell nothing for a while. Everything is recorded, and what still goes on at the end is told."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    since = max(body.since or now, now)
    if body.until <= since:
        raise ProblemError(NO_SUCH_MOMENT, "`until` is past, or before `since`.")
    fields, who = body.model_dump(exclude={"since"}), account_of(request).called
    silence_id = await silences.silence(connection, tenant.tenant_id, since=since, who=who, **fields)
    detail = {"until": body.until.isoformat()} | {name: fields[name] for name in ("rule_id", "site_id", "point_id")}
    subject = str(silence_id)
    await audit.append_own(connection, "silence.begun", tenant_id=tenant.tenant_id, subject=subject, detail=detail)
    return Silence(id=silence_id, since=since, created_by=who, **fields)


@require(MANAGE)
async def end_silence(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """End a silence before its time."""
    tenant = await tenancy.tenant_of(request, connection)
    await silences.end_silence(connection, tenant.tenant_id, path.id, request.app[CLOCK]())
    await audit.append_own(connection, "silence.ended", tenant_id=tenant.tenant_id, subject=str(path.id))


ROUTES: Final = (
    get(PATH, list_silences),
    post(PATH, create_silence, query=OfTenant, problems=(NO_SUCH_MOMENT,)),
    get(f"{PATH}/{{id}}", get_silence),
    delete(f"{PATH}/{{id}}", end_silence, query=OfTenant, held=_held_silence),
)
