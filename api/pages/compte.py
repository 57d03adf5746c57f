"""The page of one's own account, /compte: sessions, and the second factor."""

import io
import secrets
from typing import Final
from zoneinfo import ZoneInfo

import segno
from aiohttp import web
from markupsafe import Markup

from api import signing, totp
from api.access import SIGNED_IN, account_of, require
from api.context import ACCOUNTS, doorkeeper
from api.pages import rendering, words
from api.pages.forms import form
from api.problems import FORBIDDEN, WRONG_CREDENTIALS, ProblemError
from store.access import accounts, audit, factors, sessions
from store.access.bearer import Account

PATH: Final = "/compte"
FACTOR_PATH: Final = "/compte/second-facteur"
END_PATH: Final = "/compte/sessions/fin"
_ZONE: Final = ZoneInfo("Europe/Paris")


def _person(request: web.Request) -> Account:
    """Return who is signed in with a browser: a key of a program has no business here."""
    account = account_of(request)
    if account.session_id is None:
        raise ProblemError(FORBIDDEN)
    return account


@require(SIGNED_IN)
async def show(request: web.Request) -> web.Response:
    """Answer who one is, what one may do, and where one is signed in."""
    account = _person(request)
    pool = request.app[ACCOUNTS]
    texts = rendering.catalogue_of(request)
    opened = [
        {
            "when": words.moment(one.seen_at, _ZONE, "minute", texts),
            "where": one.user_agent[:80],
            "here": one.session_id == account.session_id,
        }
        for one in await sessions.sessions_of(pool, account.account_id)
    ]
    held = await accounts.grants_of(pool, account.account_id)
    return rendering.html(request, "compte.html", who=account, sessions=opened, grants=held)


@require(SIGNED_IN)
async def show_factor(request: web.Request) -> web.Response:
    """Answer a new secret, as a QR code and in letters, with the form that confirms it."""
    account = _person(request)
    if account.has_second_factor:
        raise web.HTTPSeeOther(PATH)
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    async with doorkeeper(request) as connection:
        await factors.propose(connection, request.app[signing.KEYRING], account.account_id, secret)
    return _factor(request, account, secret, said="")


def _factor(request: web.Request, account: Account, secret: bytes, *, said: str) -> web.Response:
    drawn = io.BytesIO()
    code = segno.make(totp.uri(secret, account.email), error="m")
    code.save(drawn, kind="svg", scale=4, border=4, xmldecl=False, svgns=False, light="#fff", omitsize=True)
    picture = Markup(drawn.getvalue().decode())  # noqa: S704 - squares drawn by segno, no text of anybody
    answer = rendering.html(
        request,
        "second_facteur.html",
        status=422 if said else 200,
        picture=picture,
        key=totp.written(secret),
        said=said,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require(SIGNED_IN)
async def confirm_factor(request: web.Request) -> web.Response:
    """Take the second factor once a code of it was shown; from then on each sign-in asks for one."""
    account = _person(request)
    given = await form(request, "code")
    if account.has_second_factor:
        raise web.HTTPSeeOther(PATH)
    async with doorkeeper(request) as connection:
        known = await factors.factor(connection, request.app[signing.KEYRING], account.account_id)
        if known is None:
            raise web.HTTPSeeOther(FACTOR_PATH)
        try:
            await signing.check_code(request, connection, account.account_id, given["code"])
        except ProblemError as error:
            if error.kind is not WRONG_CREDENTIALS:
                raise
            return _factor(request, account, known.secret, said="code_wrong")
        await sessions.end_sessions_of(connection, account.account_id, but=account.session_id)
        await audit.append(connection, "second_factor.added", actor=account.email, account_id=account.account_id)
    raise web.HTTPSeeOther(PATH)


@require(SIGNED_IN)
async def end_others(request: web.Request) -> web.Response:
    """End every other session of the account."""
    account = _person(request)
    await form(request)
    async with doorkeeper(request) as connection:
        await sessions.end_sessions_of(connection, account.account_id, but=account.session_id)
        await audit.append(connection, "session.others_closed", actor=account.email, account_id=account.account_id)
    raise web.HTTPSeeOther(PATH)


ROUTES: Final = (
    web.get(PATH, show),
    web.get(FACTOR_PATH, show_factor),
    web.post(FACTOR_PATH, confirm_factor),
    web.post(END_PATH, end_others),
)
