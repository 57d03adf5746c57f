"""Who may do what, for who administers: /t/<slug>/acces for one tenant, /acces for rights on all of them."""

import json
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import ValidationError

from api import mailing, problems
from api.access import ADMINISTER, account_of, require
from api.context import reader, writer
from api.pages import log_words, rendering, words
from api.pages.compte import id_of
from api.pages.forms import form
from api.pages.navigation import Entry
from api.pages.texts import Texts
from api.problems import ProblemError
from api.v1.grants import Invitation, invite, scope_of, take
from store.access import audit, members
from store.access.audit import Chosen
from store.access.members import Held
from store.reading.pages import MAX_LIMIT
from store.reading.territory import Tenant

PATH: Final = "/acces"
OF_TENANT: Final = "/t/{slug}/acces"
_TAKE: Final = "/{id}/retrait"
_LOG: Final = "/journal"
_LOGGED: Final = 100
_OF_TENANT_ROLES: Final = ("viewer", "manager", "technician", "administrator")
_FIELDS: Final = ("email", "name", "role", "language", "with_descendants")
_SAID: Final = {
    problems.FORBIDDEN: "forbidden",
    problems.NO_SUCH_ACCOUNT: "no_such_account",
    problems.MAIL_NOT_SENT: "mail_not_sent",
    problems.TOO_MANY_TRIES: "too_many",
}


@require(ADMINISTER)
async def show(request: web.Request) -> web.Response:
    """Answer who may do what, and the form that invites."""
    rendering.query(request)
    return await _page(request)


async def _page(request: web.Request, *, said: str = "", given: dict[str, str] | None = None) -> web.Response:
    async with reader(request) as connection:
        tenant = await scope_of(request, connection, request.match_info.get("slug"))
        tenant_id = None if tenant is None else tenant.tenant_id
        page = await members.held_on(connection, tenant_id, after=None, limit=MAX_LIMIT)
        all_of_it = await members.administers_all(connection)
    texts, own = rendering.catalogue_of(request), account_of(request).account_id
    people = [_line(one, own, words.zone_of(tenant), texts) for one in sorted(page.items, key=lambda one: one.email)]
    return rendering.html(
        request,
        "acces.html",
        status=422 if said else 200,
        tenant=tenant,
        base=_base(tenant),
        people=people,
        roles=(*_OF_TENANT_ROLES, "supervisor") if all_of_it else _OF_TENANT_ROLES,
        administers_all=all_of_it,
        mails=mailing.is_available(request.app),
        said=said,
        given=given or {},
    )


def _base(tenant: Tenant | None) -> str:
    return PATH if tenant is None else f"/t/{tenant.slug}/acces"


def _line(held: Held, own: int, zone: ZoneInfo, texts: Texts) -> dict[str, object]:
    state = "disabled" if held.is_disabled else "entered" if held.has_entered else "invited"
    return {
        "id": held.grant_id,
        "email": held.email,
        "name": held.name,
        "role": texts(f"role.{held.role}"),
        "below": held.with_descendants,
        "state": texts(f"acces.{state}"),
        "has_second_factor": held.has_second_factor,
        "since": words.day(held.granted_at.astimezone(zone).date(), texts),
        "is_own": held.account_id == own,
    }


@require(ADMINISTER)
async def add(request: web.Request) -> web.Response:
    """Give a role to whoever has this e-mail, and mail them."""
    given = await form(request, *_FIELDS)
    try:
        wanted = Invitation.model_validate(
            {
                "email": given["email"].strip(),
                "name": given["name"].strip() or None,
                "language": given["language"] or "fr",
                "role": given["role"],
                "with_descendants": bool(given["with_descendants"]),
            }
        )
    except ValidationError:
        return await _page(request, said="acces.no_such_account", given=given)
    try:
        invited = await invite(request, request.match_info.get("slug"), wanted)
    except ProblemError as error:
        if error.kind not in _SAID:
            raise
        return await _page(request, said=f"acces.{_SAID[error.kind]}", given=given)
    return rendering.onward(request.path, done=invited.mail)


@require(ADMINISTER)
async def remove(request: web.Request) -> web.Response:
    """Take a role away."""
    await form(request)
    async with writer(request) as connection:
        tenant = await scope_of(request, connection, request.match_info.get("slug"))
        await take(connection, id_of(request), None if tenant is None else tenant.tenant_id)
    return rendering.onward(_base(tenant), done="removed")


@require(ADMINISTER)
async def show_log(request: web.Request) -> web.Response:
    """Answer the last entries of the audit log, and where the whole of it is."""
    rendering.query(request)
    async with reader(request) as connection:
        tenant = await scope_of(request, connection, request.match_info.get("slug"))
        wanted = Chosen(None if tenant is None else tenant.tenant_id, None, None, None)
        page = await audit.newest(connection, wanted, before=None, limit=_LOGGED)
    texts, zone = rendering.catalogue_of(request), words.zone_of(tenant)
    entries = [
        (
            words.moment(one.at, zone, "minute", texts),
            one.actor,
            log_words.action(one.action, texts),
            log_words.about(one.object, json.loads(one.detail)),
        )
        for one in page.items
    ]
    return rendering.html(request, "journal.html", tenant=tenant, base=_base(tenant), entries=entries)


NAVIGATION: Final = (Entry("acces", OF_TENANT, "key", 95, needs=ADMINISTER),)
ROUTES: Final = tuple(
    route
    for base in (PATH, OF_TENANT)
    for route in (
        web.get(base, show),
        web.post(base, add),
        web.post(base + _TAKE, remove),
        web.get(base + _LOG, show_log),
    )
)
