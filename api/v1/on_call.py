"""Who is on call when, and whom to tell when nobody acknowledges."""

from datetime import datetime
from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime, Field

from api import models, tenancy
from api.access import MANAGE, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.models import Answer, Resource
from api.parameters import WHOLE, Asked, Id, IdPath, OfTenant
from api.problems import NO_SUCH_MOMENT, ProblemError
from store.access import audit
from store.delivery import contacts

SHIFTS: Final = "/api/v1/shifts"
ESCALATION: Final = "/api/v1/escalation"


class NewShift(Asked):
    """When a contact is on call."""

    since: AwareDatetime
    until: AwareDatetime


class Shift(Resource):
    """When a contact is on call."""

    id: int
    contact_id: int
    since: datetime
    until: datetime


class Step(Asked):
    """Whom to tell when nobody has acknowledged for so long; null: whoever is on call by then."""

    after_s: Annotated[int, Field(ge=60, le=7 * 86_400), WHOLE]
    contact_id: Id | None = None


class Steps(Asked):
    """All the steps of a tenant, which replace those that were."""

    steps: Annotated[list[Step], Field(max_length=10)]


class Escalation(Answer):
    """The steps of a tenant, the first first."""

    steps: list[Step]


@require(MANAGE)
async def create_shift(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: NewShift) -> Shift:
    """Put somebody on call."""
    tenant = await tenancy.tenant_of(request, connection)
    if body.until <= body.since:
        raise ProblemError(NO_SUCH_MOMENT, "`until` is not after `since`.")
    shift_id = await contacts.add_shift(connection, tenant.tenant_id, path.id, body.since, body.until)
    await audit.append_own(connection, "contact.on_call", tenant_id=tenant.tenant_id, subject=str(path.id))
    return Shift(id=shift_id, contact_id=path.id, since=body.since, until=body.until)


@require(MANAGE)
async def list_shifts(request: web.Request, query: OfTenant) -> models.Page[Shift]:
    """List who is on call, now and later."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await contacts.shifts(connection, tenant.tenant_id, request.app[CLOCK]())
    return models.Page[Shift](items=[_shift(one) for one in found], next_cursor=None)


def _shift(found: contacts.Shift) -> Shift:
    return Shift(id=found.shift_id, contact_id=found.contact_id, since=found.since, until=found.until)


@require(MANAGE)
async def get_shift(request: web.Request, path: IdPath, query: OfTenant) -> Shift:
    """Tell one shift."""
    del query
    async with reader(request) as connection:
        return await _held_shift(request, connection, path)


async def _held_shift(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Shift:
    tenant = await tenancy.tenant_of(request, connection)
    return _shift(await contacts.shift_of(connection, tenant.tenant_id, path.id))


@require(MANAGE)
async def delete_shift(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Take a shift back."""
    tenant = await tenancy.tenant_of(request, connection)
    await contacts.remove_shift(connection, tenant.tenant_id, path.id)
    await audit.append_own(connection, "shift.removed", tenant_id=tenant.tenant_id, subject=str(path.id))


@require(MANAGE)
async def get_escalation(request: web.Request, query: OfTenant) -> Escalation:
    """Tell whom is told when nobody acknowledges."""
    del query
    async with reader(request) as connection:
        return await _held_escalation(request, connection)


async def _held_escalation(request: web.Request, connection: asyncpg.Connection) -> Escalation:
    tenant = await tenancy.tenant_of(request, connection)
    found = await contacts.steps_of(connection, [tenant.tenant_id])
    return Escalation(steps=[Step(after_s=one.after_s, contact_id=one.contact_id) for one in found])


@require(MANAGE)
async def set_escalation(request: web.Request, connection: asyncpg.Connection, body: Steps) -> None:
    """Say whom to tell when nobody acknowledges; it replaces what was said before."""
    tenant = await tenancy.tenant_of(request, connection)
    steps = sorted({(step.after_s, step.contact_id) for step in body.steps}, key=lambda step: step[0])
    await contacts.set_steps(connection, tenant.tenant_id, steps)
    await audit.append_own(connection, "escalation.set", tenant_id=tenant.tenant_id)


ROUTES: Final = (
    post("/api/v1/contacts/{id}/shifts", create_shift, query=OfTenant, problems=(NO_SUCH_MOMENT,)),
    get(SHIFTS, list_shifts),
    get(f"{SHIFTS}/{{id}}", get_shift),
    delete(f"{SHIFTS}/{{id}}", delete_shift, query=OfTenant, held=_held_shift),
    get(ESCALATION, get_escalation),
    post(ESCALATION, set_escalation, query=OfTenant, held=_held_escalation),
)
