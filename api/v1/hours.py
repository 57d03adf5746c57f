"""When a site is open: what rules that watch in opening hours, or outside them, go by."""

import json
from typing import Annotated, Any, Final

import asyncpg
from aiohttp import web
from pydantic import Field, ValidationError

from alerting.rules import OpeningHours
from api import tenancy
from api.access import MANAGE, READ, require
from api.context import reader
from api.endpoint import get, post
from api.models import Answer
from api.parameters import Asked, Id, OfTenant
from api.problems import NO_SUCH_MOMENT, ProblemError
from domain.errors import NotFoundError
from store.access import audit
from store.alerting.rules import calendar, set_calendar
from store.alerting.subjects import is_foreign

PATH: Final = "/api/v1/hours"


class HoursQuery(OfTenant):
    """Of which site."""

    site_id: Annotated[Id | None, Field(description="of that site; else of those that have none of their own")] = None


class NewHours(Asked):
    """The hours of a site, else of all sites of the tenant that have none of their own (docs/alerting.md)."""

    site_id: Id | None = None
    hours: dict[str, Any]


class HoursTold(Answer):
    """The hours by which rules go; null when nobody said them: then a site is always open."""

    hours: dict[str, Any] | None


@require(READ)
async def get_hours(request: web.Request, query: HoursQuery) -> HoursTold:
    """Tell the opening hours of a site, its own or else its tenant's."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        await _own(connection, tenant.tenant_id, query.site_id)
        return await _hours(connection, tenant.tenant_id, query.site_id)


@require(MANAGE)
async def set_hours(request: web.Request, connection: asyncpg.Connection, body: NewHours) -> None:
    """Say when a site is open."""
    tenant = await tenancy.tenant_of(request, connection)
    await _own(connection, tenant.tenant_id, body.site_id)
    try:
        hours = OpeningHours.model_validate(body.hours)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ProblemError(NO_SUCH_MOMENT, f"{where}: {first['msg']}") from error
    await set_calendar(connection, tenant.tenant_id, body.site_id, hours.model_dump_json())
    subject = "" if body.site_id is None else str(body.site_id)
    await audit.append_own(connection, "hours.set", tenant_id=tenant.tenant_id, subject=subject)


async def _held_hours(request: web.Request, connection: asyncpg.Connection, body: NewHours) -> HoursTold:
    tenant = await tenancy.tenant_of(request, connection)
    await _own(connection, tenant.tenant_id, body.site_id)
    return await _hours(connection, tenant.tenant_id, body.site_id)


async def _hours(connection: asyncpg.Connection, tenant_id: int, site_id: int | None) -> HoursTold:
    found = await calendar(connection, tenant_id, site_id)
    return HoursTold(hours=None if found is None else json.loads(found))


async def _own(connection: asyncpg.Connection, tenant_id: int, site_id: int | None) -> None:
    if await is_foreign(connection, tenant_id, point_ids=(), site_id=site_id, gateway_id=None):
        raise NotFoundError


ROUTES: Final = (
    get(PATH, get_hours),
    post(PATH, set_hours, query=OfTenant, problems=(NO_SUCH_MOMENT,), held=_held_hours),
)
