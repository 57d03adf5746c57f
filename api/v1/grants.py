"""Who may do what on a tenant: seen, given and taken by whoever administers it. The database checks that they do."""

from datetime import datetime
from typing import Annotated, Final, Literal

import asyncpg
import structlog
from aiohttp import web
from pydantic import Field

from api import mailing, models, pagination, problems, tenancy
from api.access import ADMINISTER, account_of, require
from api.context import reader, writer
from api.endpoint import delete, door, get, post
from api.guesses import failed, refuse_too_many
from api.mailing import MailError
from api.models import Answer, Resource
from api.parameters import Asked, Id, IdPath, Paged, Slug, Text
from api.problems import ProblemError
from api.settings import Role
from store.access import audit, members
from store.access.accounts import AccountError
from store.reading.territory import Tenant

log: Final = structlog.get_logger("api")

PATH: Final = "/api/v1/grants"
INVITATIONS: Final = "/api/v1/invitations"
MEMBERS: Final = "/api/v1/accounts/{id}/sessions"
_FREE_INVITATIONS: Final = 100  # of one administrator within an hour: a territory is invited, an address book is not

Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$")]


class Scope(Asked):
    """Rights on which tenant; without it, on all tenants, for who administers all."""

    tenant: Slug | None = None


class GrantsQuery(Scope, Paged):
    """Which rights."""


class NewGrant(Asked):
    """Another role for an account that has one where you administer."""

    account_id: Id
    role: Role
    with_descendants: bool = False


class Invitation(Asked):
    """A role for whoever has this e-mail: an account is made if there is none, and a mail tells them."""

    email: Email
    name: Text | None = None
    language: Literal["fr", "en"] = "fr"
    role: Role
    with_descendants: bool = False


class Grant(Resource):
    """A role of somebody on the tenant, and on its descendants if so. `has_entered`: they have a way in already."""

    id: int
    account_id: int
    email: str
    name: str
    role: str
    with_descendants: bool
    granted_at: datetime
    granted_by: str | None
    is_disabled: bool
    has_entered: bool
    has_second_factor: bool


class Given(Answer):
    """A role that was given."""

    id: int


class Invited(Answer):
    """A role that was given to somebody, and which mail told them: `invitation` with a link, or `role`."""

    id: int
    account_id: int
    mail: Literal["invitation", "role", "none"]


async def scope_of(request: web.Request, connection: asyncpg.Connection, slug: str | None) -> Tenant | None:
    """Return the tenant whose rights are asked; None for all tenants. Raises ProblemError, NotFoundError."""
    if slug is not None:
        return await tenancy.tenant_of(request, connection)
    if not await members.administers_all(connection):
        raise ProblemError(problems.FORBIDDEN, "Name a `tenant`.")
    return None


@require(ADMINISTER)
async def list_grants(request: web.Request, query: GrantsQuery) -> models.Page[Grant]:
    """List who may do what on a tenant. Those who have it from above are not told."""
    asked = pagination.asked(query, "grants")
    async with reader(request) as connection:
        tenant = await scope_of(request, connection, query.tenant)
        tenant_id = None if tenant is None else tenant.tenant_id
        page = await members.held_on(connection, tenant_id, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[Grant], "grants", page, _grant)


@require(ADMINISTER)
async def get_grant(request: web.Request, path: IdPath, query: Scope) -> Grant:
    """Tell one role of somebody on a tenant."""
    async with reader(request) as connection:
        return await _held_grant(request, connection, query, path)


async def _held_grant(request: web.Request, connection: asyncpg.Connection, query: Scope, path: IdPath) -> Grant:
    tenant = await scope_of(request, connection, query.tenant)
    return _grant(await members.held_one(connection, None if tenant is None else tenant.tenant_id, path.id))


def _grant(held: members.Held) -> Grant:
    fields = held._asdict()
    del fields["tenant_id"]
    return Grant(id=fields.pop("grant_id"), **fields)


@require(ADMINISTER)
async def create_grant(request: web.Request, connection: asyncpg.Connection, query: Scope, body: NewGrant) -> Given:
    """Give another role to somebody who has one where you administer."""
    tenant = await scope_of(request, connection, query.tenant)
    tenant_id = None if tenant is None else tenant.tenant_id
    try:
        grant_id = await members.give(
            connection, body.account_id, body.role, tenant_id, with_descendants=body.with_descendants
        )
    except members.NotYoursError as error:
        raise ProblemError(problems.FORBIDDEN) from error
    detail = {"role": body.role, "account": body.account_id, "with_descendants": body.with_descendants}
    await audit.append_own(connection, "grant.given", tenant_id=tenant_id, detail=detail)
    return Given(id=grant_id)


@require(ADMINISTER)
async def delete_grant(request: web.Request, connection: asyncpg.Connection, query: Scope, path: IdPath) -> None:
    """Take a role away: at once, also from what is open. Nobody takes away their own."""
    tenant = await scope_of(request, connection, query.tenant)
    await take(connection, path.id, None if tenant is None else tenant.tenant_id)


async def take(connection: asyncpg.Connection, grant_id: int, tenant_id: int | None) -> None:
    """Take a role away, and note it. Raises ProblemError, NotFoundError."""
    try:
        taken = await members.take(connection, grant_id)
    except members.OwnRightsError as error:
        raise ProblemError(problems.CONFLICT, "These are your own: another administrator takes them.") from error
    await audit.append_own(
        connection, "grant.taken", tenant_id=tenant_id, subject=taken.email, detail={"role": taken.role}
    )


async def invite(request: web.Request, slug: str | None, wanted: Invitation) -> Invited:
    """Give a role and mail it. Raises ProblemError; when the mail alone did not leave, the role was given."""
    subject = f"invitations:{account_of(request).account_id}"
    refuse_too_many(request, (subject, _FREE_INVITATIONS))
    failed(request, subject)
    async with writer(request) as connection:
        tenant = await scope_of(request, connection, slug)
        tenant_id = None if tenant is None else tenant.tenant_id
        try:
            found = await members.invite(
                connection,
                wanted.email,
                wanted.name or "",
                wanted.language,
                role=wanted.role,
                tenant_id=tenant_id,
                with_descendants=wanted.with_descendants,
            )
        except members.NotYoursError as error:
            raise ProblemError(problems.FORBIDDEN) from error
        except AccountError as error:
            raise ProblemError(problems.NO_SUCH_ACCOUNT) from error
        detail = {"role": wanted.role, "with_descendants": wanted.with_descendants}
        await audit.append_own(
            connection, "grant.given", tenant_id=tenant_id, subject=wanted.email.strip().lower(), detail=detail
        )
    mail = await _mail(request, wanted, found, "" if tenant is None else tenant.name)
    return Invited(id=found.grant_id, account_id=found.account_id, mail=mail)


async def _mail(
    request: web.Request, wanted: Invitation, found: members.Invited, tenant: str
) -> Literal["invitation", "role", "none"]:
    email = wanted.email.strip().lower()
    if found.is_disabled or not mailing.is_available(request.app):
        return "none"
    try:
        if found.must_enter:
            await mailing.send_link(request.app, "invitation", email, actor=account_of(request).email)
            return "invitation"
        await mailing.tell_of_role(request.app, email, wanted.language, wanted.role, tenant)
    except MailError as error:
        log.warning("an invitation was not sent", error=str(error))
        raise ProblemError(problems.MAIL_NOT_SENT) from error
    return "role"


@require(ADMINISTER)
async def create_invitation(request: web.Request, body: Invitation) -> web.StreamResponse:
    """Give a role to whoever has this e-mail, and mail them: sent again, it mails again.

    The link of the mail is told to nobody else. Without a mail relay (`mail` is `none`) the operator gives one:
    `samara accounts invite`.
    """
    invited = await invite(request, request.query.get(tenancy.PARAMETER), body)
    return web.Response(text=invited.model_dump_json(), content_type="application/json", status=201)


@require(ADMINISTER)
async def end_sessions_of_member(
    request: web.Request, connection: asyncpg.Connection, query: Scope, path: IdPath
) -> None:
    """End every session of somebody all of whose roles are where you administer."""
    tenant = await scope_of(request, connection, query.tenant)
    await members.end_sessions(connection, path.id)
    tenant_id = None if tenant is None else tenant.tenant_id
    await audit.append_own(connection, "session.ended_for", tenant_id=tenant_id, detail={"account": path.id})


_INVITING: Final = (
    problems.FORBIDDEN,
    problems.NO_SUCH_ACCOUNT,
    problems.MAIL_NOT_SENT,
    problems.TOO_MANY_TRIES,
)
ROUTES: Final = (
    get(PATH, list_grants),
    post(PATH, create_grant),
    get(f"{PATH}/{{id}}", get_grant),
    delete(f"{PATH}/{{id}}", delete_grant, held=_held_grant),
    door("POST", INVITATIONS, create_invitation, status=201, query=Scope, answer=Invited, problems=_INVITING),
    delete(MEMBERS, end_sessions_of_member),
)
