"""Which device measures which point since when, as technicians declare it."""

from datetime import datetime
from typing import Final

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime

from api import models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import CLOCK, reader
from api.endpoint import get, post
from api.models import Resource
from api.parameters import Asked, DevEui, Id, IdPath, OfTenant, PagedOfTenant
from api.problems import CONFLICT, ProblemError
from store import installing
from store.assignments import assign, release
from store.reading.pages import page_of

PATH: Final = "/api/v1/assignments"


class NewAssignment(Asked):
    """A device that measures a point from a moment on: now, unless said. Whatever it or the point did before ends."""

    dev_eui: DevEui
    point_id: Id
    started_at: AwareDatetime | None = None


class EndedAssignment(Asked):
    """When a device measured a point for the last time: now, unless said."""

    ended_at: AwareDatetime | None = None


class Assignment(Resource):
    """Which device measures which point; null when it always did, and when it still does."""

    id: int
    dev_eui: str
    point_id: int
    started_at: datetime | None
    ended_at: datetime | None


class AssignmentsQuery(PagedOfTenant):
    """Of which device or point."""

    dev_eui: DevEui | None = None
    point_id: Id | None = None


@require(HEALTH)
async def list_assignments(request: web.Request, query: AssignmentsQuery) -> models.Page[Assignment]:
    """List which device measures, or measured, which point of the tenant."""
    asked = pagination.asked(query, "assignments")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await installing.assignments(
            connection,
            tenant.tenant_id,
            dev_eui=query.dev_eui,
            point_id=query.point_id,
            after=asked.after or 0,
            limit=asked.limit + 1,
        )
    page = page_of(found, [one.assignment_id for one in found], asked.limit)
    return pagination.answer(models.Page[Assignment], "assignments", page, _assignment)


def _assignment(found: installing.Assignment) -> Assignment:
    fields = found._asdict()
    return Assignment(id=fields.pop("assignment_id"), **fields)


@require(INSTALL)
async def create_assignment(request: web.Request, connection: asyncpg.Connection, body: NewAssignment) -> Assignment:
    """Let a device measure a point. A replaced device keeps what it measured, and the point its history."""
    tenant = await tenancy.tenant_of(request, connection)
    device_id, point_id = await installing.ids(connection, tenant.tenant_id, body.dev_eui, body.point_id)
    await assign(connection, device_id, point_id, _moment(body.started_at, request))
    found = await installing.assignments(connection, tenant.tenant_id, dev_eui=body.dev_eui, point_id=point_id)
    return _assignment(next(one for one in reversed(found) if one.ended_at is None))


@require(INSTALL)
async def end_assignment(
    request: web.Request, connection: asyncpg.Connection, path: IdPath, body: EndedAssignment
) -> None:
    """End an assignment that goes on."""
    tenant = await tenancy.tenant_of(request, connection)
    device_id = await installing.device_assigned(connection, tenant.tenant_id, path.id)
    await release(connection, device_id, _moment(body.ended_at, request))


def _moment(given: datetime | None, request: web.Request) -> datetime:
    now = request.app[CLOCK]()
    if given is not None and given > now:
        raise ProblemError(CONFLICT, "What begins or ends in the future is declared when it does.")
    return given or now


ROUTES: Final = (
    get(PATH, list_assignments),
    post(PATH, create_assignment, query=OfTenant),
    post(f"{PATH}/{{id}}/end", end_assignment, query=OfTenant),
)
