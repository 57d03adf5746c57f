"""Where an account is signed in: seen and ended by its owner."""

from datetime import datetime
from typing import Final

from aiohttp import web

from api import problems, signing
from api.access import SIGNED_IN, account_of, require
from api.context import ACCOUNTS, doorkeeper
from api.endpoint import door, get
from api.models import Answer
from api.parameters import IdPath
from domain.errors import NotFoundError
from store.access import audit, sessions

PATH: Final = "/api/v1/sessions"


class OpenSession(Answer):
    """A session of the account. `is_this`: the one that asks; `seen_at` is exact to a minute."""

    id: int
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    user_agent: str
    is_this: bool


class OpenSessions(Answer):
    """The sessions of an account that are open, the last used first."""

    items: list[OpenSession]


@require(SIGNED_IN)
async def list_sessions(request: web.Request) -> OpenSessions:
    """List where one is signed in."""
    account = account_of(request)
    found = await sessions.sessions_of(request.app[ACCOUNTS], account.account_id)
    return OpenSessions(
        items=[
            OpenSession(
                id=one.session_id,
                opened_at=one.opened_at,
                seen_at=one.seen_at,
                expires_at=one.expires_at,
                user_agent=one.user_agent,
                is_this=one.session_id == account.session_id,
            )
            for one in found
        ]
    )


async def end(request: web.Request, session_id: int) -> None:
    """End one session of who asks. Raises NotFoundError."""
    account = await signing.refuse_stale(request)
    async with doorkeeper(request) as connection:
        if not await sessions.end_session_by_id(connection, account.account_id, session_id):
            raise NotFoundError
        await audit.append(connection, "session.ended", actor=account.email, account_id=account.account_id)


async def end_others(request: web.Request) -> None:
    """End every session of who asks but the one that asks."""
    account = await signing.refuse_stale(request)
    async with doorkeeper(request) as connection:
        await sessions.end_sessions_of(connection, account.account_id, but=account.session_id)
        await audit.append(connection, "session.others_closed", actor=account.email, account_id=account.account_id)


@require(SIGNED_IN)
async def end_session(request: web.Request, path: IdPath) -> web.StreamResponse:
    """End one of one's sessions."""
    await end(request, path.id)
    return web.Response(status=204)


@require(SIGNED_IN)
async def end_other_sessions(request: web.Request) -> web.StreamResponse:
    """End all of one's sessions but the one that asks."""
    await end_others(request)
    return web.Response(status=204)


ROUTES: Final = (
    get(PATH, list_sessions),
    door("DELETE", PATH, end_other_sessions, status=204, problems=(problems.FORBIDDEN, problems.SIGN_IN_AGAIN)),
    door("DELETE", f"{PATH}/{{id}}", end_session, status=204, problems=(problems.FORBIDDEN, problems.SIGN_IN_AGAIN)),
)
