"""One's own account, /compte: what one may do, what opens it, where one is signed in. Keys of programs: `cles.py`."""

import secrets
from typing import Final

from aiohttp import web

from api import signing, totp
from api.access import SIGNED_IN, require
from api.context import ACCOUNTS, SETTINGS, doorkeeper, reader
from api.pages import facteur, rendering, words
from api.pages.forms import form
from api.pages.whose import tenant_beside
from api.parameters import MAX_ID
from api.passwords import MIN_LENGTH, WeakPasswordError
from api.problems import TOO_MANY_TRIES, WRONG_CREDENTIALS, ProblemError
from api.v1.sessions import end, end_others
from domain.errors import NotFoundError
from store.access import accounts, audit, factors, identities, sessions

PATH: Final = "/compte"
FACTOR_PATH: Final = "/compte/second-facteur"
REMOVAL_PATH: Final = "/compte/second-facteur/retrait"
PASSWORD_PATH: Final = "/compte/mot-de-passe"  # noqa: S105 - an address
END_PATH: Final = "/compte/sessions/fin"
END_ONE_PATH: Final = "/compte/sessions/{id}/fin"


@require(SIGNED_IN)
async def show(request: web.Request) -> web.Response:
    """Answer who one is, what one may do, what opens the account, and where one is signed in."""
    account = signing.person_of(request)
    beside = rendering.query(request, "tenant").text("tenant", "the slug of a tenant", default="")
    async with reader(request) as connection:
        tenant = await tenant_beside(connection, beside)
    pool = request.app[ACCOUNTS]
    texts = rendering.catalogue_of(request)
    opened = [
        {
            "id": one.session_id,
            "when": words.moment(one.seen_at, words.PARIS, "minute", texts),
            "where": words.browser(one.user_agent),
            "here": one.session_id == account.session_id,
        }
        for one in await sessions.sessions_of(pool, account.account_id)
    ]
    bound = {one.issuer for one in await identities.identities_of(pool, account.account_id)}
    providers = [
        {"label": one.label, "href": f"/compte/identites/{one.name}", "is_bound": one.issuer in bound}
        for one in request.app[SETTINGS].oidc
    ]
    known = await accounts.credential_of(pool, account.account_id)
    assert known is not None, "it is signed in"
    return rendering.html(
        request,
        "compte.html",
        tenant=tenant,
        who=account,
        sessions=opened,
        grants=await accounts.grants_of(pool, account.account_id),
        providers=providers,
        has_password=known.hash is not None,
        must_have_factor=not set(known.roles).isdisjoint(request.app[SETTINGS].second_factor_for),
    )


@require(SIGNED_IN)
async def show_factor(request: web.Request) -> web.Response:
    """Answer a new secret, as a QR code and in letters, with the form that confirms it; or how to take it away."""
    account = await signing.refuse_stale(request)
    if account.has_second_factor:
        return rendering.html(request, "facteur_retrait.html", said="")
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    async with doorkeeper(request) as connection:
        await factors.propose(connection, request.app[signing.KEYRING], account.account_id, secret)
    return facteur.page(request, account.email, secret, action=FACTOR_PATH)


@require(SIGNED_IN)
async def confirm_factor(request: web.Request) -> web.Response:
    """Take the second factor once a code of it was shown; from then on each sign-in asks for one."""
    account = await signing.refuse_stale(request)
    given = await form(request, "code", "next")
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
            return facteur.page(request, account.email, known.secret, action=FACTOR_PATH, said="code_wrong")
        await sessions.end_sessions_of(connection, account.account_id, but=account.session_id)
        await audit.append(connection, "second_factor.added", actor=account.email, account_id=account.account_id)
    raise web.HTTPSeeOther(PATH)


@require(SIGNED_IN)
async def remove_factor(request: web.Request) -> web.Response:
    """Take the second factor away for who shows a code of it; where it is required, another is asked for at once."""
    account = await signing.refuse_stale(request)
    given = await form(request, "code")
    async with doorkeeper(request) as connection:
        try:
            await signing.check_code(request, connection, account.account_id, given["code"])
        except ProblemError as error:
            if error.kind is not WRONG_CREDENTIALS:
                raise
            return rendering.html(request, "facteur_retrait.html", status=422, said="code_wrong")
        await factors.remove(connection, account.account_id)
        await sessions.end_sessions_of(connection, account.account_id, but=account.session_id)
        await audit.append(connection, "second_factor.removed", actor=account.email, account_id=account.account_id)
    raise web.HTTPSeeOther(FACTOR_PATH)


@require(SIGNED_IN)
async def show_password(request: web.Request) -> web.Response:
    """Answer the form in which one changes one's password."""
    account = signing.person_of(request)
    return rendering.html(request, "compte_motdepasse.html", email=account.email, least=MIN_LENGTH, said="")


@require(SIGNED_IN)
async def change_password(request: web.Request) -> web.Response:
    """Change the password of who knows the former one; the other sessions end."""
    account = signing.person_of(request)
    given = await form(request, "former", "password", "email")
    try:
        await signing.change_password(request, given["former"], given["password"])
    except WeakPasswordError as error:
        said, status = f"motdepasse.weak_{error.reason}", 422
    except ProblemError as error:
        if error.kind not in {WRONG_CREDENTIALS, TOO_MANY_TRIES}:
            raise
        said = "motdepasse.former_wrong" if error.kind is WRONG_CREDENTIALS else "connexion.too_many"
        status = 422 if error.kind is WRONG_CREDENTIALS else error.kind.status
    else:
        raise web.HTTPSeeOther(PATH)
    return rendering.html(
        request, "compte_motdepasse.html", status=status, email=account.email, least=MIN_LENGTH, said=said
    )


@require(SIGNED_IN)
async def end_all_others(request: web.Request) -> web.Response:
    """End every other session of the account."""
    await form(request)
    await end_others(request)
    raise web.HTTPSeeOther(PATH)


@require(SIGNED_IN)
async def end_one(request: web.Request) -> web.Response:
    """End one session of the account."""
    await form(request)
    await end(request, id_of(request))
    raise web.HTTPSeeOther(PATH)


def id_of(request: web.Request) -> int:
    """Return the id in the address. Raises NotFoundError for what can be none."""
    text = request.match_info["id"]
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) <= MAX_ID):
        raise NotFoundError
    return int(text)


ROUTES: Final = (
    web.get(PATH, show),
    web.get(FACTOR_PATH, show_factor),
    web.post(FACTOR_PATH, confirm_factor),
    web.post(REMOVAL_PATH, remove_factor),
    web.get(PASSWORD_PATH, show_password),
    web.post(PASSWORD_PATH, change_password),
    web.post(END_PATH, end_all_others),
    web.post(END_ONE_PATH, end_one),
)
