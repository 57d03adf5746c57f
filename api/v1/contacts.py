"""Whom a tenant's alerts are told to, when, and what became of each message."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime, Field

from api import models, pagination, tenancy
from api.access import MANAGE, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.models import Answer, Resource
from api.notifying import CONTACT_RULES
from api.parameters import WHOLE, Asked, Id, IdPath, OfTenant, PagedOfTenant, Text
from api.problems import NO_SUCH_CONTACT, NO_SUCH_MOMENT, ProblemError
from domain.errors import NotFoundError, SamaraError
from store.access import audit
from store.delivery import contacts, messages, reading
from store.reading.pages import page_of

PATH: Final = "/api/v1/contacts"
CHANNELS: Final = "/api/v1/channels"
MESSAGES: Final = "/api/v1/messages"
ESCALATION: Final = "/api/v1/escalation"
SHIFTS: Final = "/api/v1/shifts"

Severity = Literal["info", "warning", "critical"]
State = Literal["waiting", "sent", "dropped", "digested", "dead"]


class NewContact(Asked):
    """One person reached in one way. `target` and `preferences`: docs/alerting.md."""

    name: Text
    language: Literal["fr", "en"] = "fr"
    channel: Text
    target: dict[str, Any]
    min_severity: Severity = "warning"
    on_call_only: bool = False
    preferences: dict[str, Any] = Field(default_factory=dict)


class Contact(Resource):
    """Who is told. Where they are reached is not told again: addresses of chats and webhooks are secrets."""

    id: int
    name: str
    language: str
    channel: str
    min_severity: str
    on_call_only: bool
    on_call: bool
    preferences: dict[str, Any]


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


class Channels(Answer):
    """The ways in which people can be told here."""

    channels: list[str]


class MessagesQuery(PagedOfTenant):
    """Which messages."""

    state: Annotated[State | None, Field(description="dead: those that could not be delivered")] = None
    incident_id: Id | None = None


class Message(Resource):
    """What was sent to whom, and what became of it."""

    id: int
    kind: str
    severity: str
    state: str
    contact: str | None
    channel: str | None
    due_at: datetime
    attempts: int
    error: str
    ended_at: datetime | None


@require(MANAGE)
async def list_channels(request: web.Request, query: OfTenant) -> Channels:
    """List the ways in which people can be told."""
    del query
    async with reader(request) as connection:
        await tenancy.tenant_of(request, connection)
    return Channels(channels=request.app[CONTACT_RULES].available())


@require(MANAGE)
async def list_contacts(request: web.Request, query: PagedOfTenant) -> models.Page[Contact]:
    """List whom a tenant's alerts are told to."""
    asked = pagination.asked(query, "contacts")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        now = request.app[CLOCK]()
        page = await contacts.contact_page(connection, tenant.tenant_id, now, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[Contact], "contacts", page, _contact)


@require(MANAGE)
async def get_contact(request: web.Request, path: IdPath, query: OfTenant) -> Contact:
    """Tell one contact."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _contact(await contacts.contact_of(connection, tenant.tenant_id, path.id, request.app[CLOCK]()))


async def _held_contact(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Contact:
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    return _contact(await contacts.contact_of(connection, tenant.tenant_id, path.id, now, held=True))


def _contact(found: contacts.Contact) -> Contact:
    return Contact(
        id=found.contact_id,
        name=found.name,
        language=found.language,
        channel=found.channel,
        min_severity=found.min_severity,
        on_call_only=found.on_call_only,
        on_call=found.on_call,
        preferences=dict(found.preferences),
    )


@require(MANAGE)
async def create_contact(request: web.Request, connection: asyncpg.Connection, body: NewContact) -> Contact:
    """Add somebody to be told; send a test message next."""
    tenant = await tenancy.tenant_of(request, connection)
    try:
        request.app[CONTACT_RULES].check(body.channel, body.target, body.preferences)
    except SamaraError as error:
        raise ProblemError(NO_SUCH_CONTACT, str(error)) from error
    contact_id = await contacts.add_contact(connection, tenant.tenant_id, **body.model_dump())
    await audit.append_own(connection, "contact.added", tenant_id=tenant.tenant_id, subject=str(contact_id))
    kept = body.model_dump(exclude={"target"})
    return Contact(id=contact_id, on_call=False, **kept)


@require(MANAGE)
async def delete_contact(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Forget where somebody is reached, and tell them nothing more."""
    tenant = await tenancy.tenant_of(request, connection)
    await contacts.remove_contact(connection, tenant.tenant_id, path.id, request.app[CLOCK]())
    await audit.append_own(connection, "contact.removed", tenant_id=tenant.tenant_id, subject=str(path.id))


@require(MANAGE)
async def test_contact(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Send a test message; the list of messages then says what became of it."""
    tenant = await tenancy.tenant_of(request, connection)
    now = request.app[CLOCK]()
    if not await messages.plan_test(connection, tenant.tenant_id, path.id, now):
        raise NotFoundError


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


@require(MANAGE)
async def list_messages(request: web.Request, query: MessagesQuery) -> models.Page[Message]:
    """List what was sent to whom, the newest first."""
    asked = pagination.asked(query, "messages")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await reading.letters(
            connection,
            tenant.tenant_id,
            state=query.state,
            incident_id=query.incident_id,
            before=asked.after,
            limit=asked.limit + 1,
        )
    page = page_of(found, [one.delivery_id for one in found], asked.limit)
    return pagination.answer(models.Page[Message], "messages", page, _message)


def _message(found: reading.Letter) -> Message:
    fields = found._asdict()
    return Message(id=fields.pop("delivery_id"), contact=fields.pop("contact_name"), **fields)


@require(MANAGE)
async def resend_message(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Send a message that could not be delivered after all."""
    tenant = await tenancy.tenant_of(request, connection)
    if not await messages.revive(connection, tenant.tenant_id, path.id, request.app[CLOCK]()):
        raise NotFoundError


ROUTES: Final = (
    get(CHANNELS, list_channels),
    get(PATH, list_contacts),
    post(PATH, create_contact, query=OfTenant, problems=(NO_SUCH_CONTACT,)),
    get(f"{PATH}/{{id}}", get_contact),
    delete(f"{PATH}/{{id}}", delete_contact, query=OfTenant, held=_held_contact),
    post(f"{PATH}/{{id}}/test", test_contact, query=OfTenant),
    post(f"{PATH}/{{id}}/shifts", create_shift, query=OfTenant, problems=(NO_SUCH_MOMENT,)),
    get(SHIFTS, list_shifts),
    get(f"{SHIFTS}/{{id}}", get_shift),
    delete(f"{SHIFTS}/{{id}}", delete_shift, query=OfTenant, held=_held_shift),
    get(ESCALATION, get_escalation),
    post(ESCALATION, set_escalation, query=OfTenant, held=_held_escalation),
    get(MESSAGES, list_messages),
    post(f"{MESSAGES}/{{id}}/resend", resend_message, query=OfTenant),
)
