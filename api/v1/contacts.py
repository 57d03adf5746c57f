"""Whom a tenant's alerts are told to, and in which ways people can be told."""

from typing import Any, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field

from api import models, pagination, tenancy
from api.access import MANAGE, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.models import Answer, Resource
from api.notifying import CONTACT_RULES
from api.parameters import Asked, IdPath, OfTenant, PagedOfTenant, Text
from api.problems import NO_SUCH_CONTACT, ProblemError
from domain.errors import NotFoundError, SamaraError
from store.access import audit
from store.delivery import contacts, messages

PATH: Final = "/api/v1/contacts"
CHANNELS: Final = "/api/v1/channels"

Severity = Literal["info", "warning", "critical"]


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


class Channels(Answer):
    """The ways in which people can be told here."""

    channels: list[str]


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


ROUTES: Final = (
    get(CHANNELS, list_channels),
    get(PATH, list_contacts),
    post(PATH, create_contact, query=OfTenant, problems=(NO_SUCH_CONTACT,)),
    get(f"{PATH}/{{id}}", get_contact),
    delete(f"{PATH}/{{id}}", delete_contact, query=OfTenant, held=_held_contact),
    post(f"{PATH}/{{id}}/test", test_contact, query=OfTenant),
)
