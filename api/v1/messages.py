"""What was sent to whom, and what became of each message."""

from datetime import datetime
from typing import Annotated, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field

from api import models, pagination, tenancy
from api.access import MANAGE, require
from api.context import CLOCK, reader
from api.endpoint import get, post
from api.models import Resource
from api.parameters import Id, IdPath, OfTenant, PagedOfTenant
from domain.errors import NotFoundError
from store.delivery import messages, reading
from store.reading.pages import page_of

PATH: Final = "/api/v1/messages"

State = Literal["waiting", "sent", "dropped", "digested", "dead"]


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
    get(PATH, list_messages),
    post(f"{PATH}/{{id}}/resend", resend_message, query=OfTenant),
)
