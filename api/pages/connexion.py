"""Sign in and out: /connexion and what it leads to, /deconnexion. By an identity provider: `oidc.py`."""

import secrets
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from api import cookies, mailing, problems, signing, totp
from api.access import PUBLIC, digest, require, visitor
from api.context import ACCOUNTS, SETTINGS, doorkeeper
from api.guesses import failed, refuse_too_many, remote
from api.pages import facteur, rendering
from api.pages.forms import form
from api.passwords import MIN_LENGTH, WeakPasswordError
from api.problems import ProblemError
from store.access import accounts, factors
from store.access.links import link

PATH: Final = "/connexion"
LINK_PATH: Final = "/connexion/lien/{secret}"
CODE_PATH: Final = "/connexion/code"
ENROL_PATH: Final = "/connexion/second-facteur"
CHOICE_PATH: Final = "/connexion/mot-de-passe/{secret}"
FORGOTTEN_PATH: Final = "/connexion/oubli"
OUT_PATH: Final = "/deconnexion"

_FREE_MAILS: Final = 3  # to one address; each further one waits longer
_FREE_ASKED: Final = 10  # from one address
_SAID: Final = {problems.WRONG_CREDENTIALS: "wrong", problems.TOO_MANY_TRIES: "too_many"}


@require(PUBLIC)
async def show(request: web.Request) -> web.Response:
    """Answer the form, or the way on for who is signed in already, unless they are to sign in again."""
    following = signing.local(request.query.get("next"))
    account, again = visitor(request), "encore" in request.query
    if account is not None and not again:
        raise web.HTTPSeeOther(following)
    email = account.email if account is not None else ""
    return _form(request, following, email, "again" if again and account is not None else "")


def _form(request: web.Request, following: str, email: str, said: str, status: int = 200) -> web.Response:
    providers = [
        {"label": one.label, "href": f"/connexion/oidc/{one.name}?{urlencode({'next': following})}"}
        for one in request.app[SETTINGS].oidc
    ]
    return rendering.html(
        request,
        "connexion.html",
        status=status,
        following=following,
        email=email[:254],
        said=said,
        providers=providers,
        forgotten=FORGOTTEN_PATH if mailing.is_available(request.app) else "",
    )


@require(PUBLIC)
async def sign_in(request: web.Request) -> web.Response:
    """Open a session and go on; else the form again, with what was wrong in words."""
    given = await form(request, "email", "password", "next")
    following = signing.local(given["next"])
    try:
        opened = await signing.sign_in(request, given["email"], given["password"])
    except ProblemError as error:
        if error.kind not in _SAID:
            raise
        answer = _form(request, following, given["email"], _SAID[error.kind], error.kind.status)
        if "retry_after_s" in error.extensions:
            answer.headers["Retry-After"] = str(error.extensions["retry_after_s"])
        return answer
    answer = rendering.onward(_next(opened, following))
    signing.give(request, answer, opened)
    return answer


def _next(opened: signing.Opened, following: str) -> str:
    """Return where a sign-in goes on."""
    if not opened.is_pending:
        return following
    return f"{ENROL_PATH if opened.lacks_factor else CODE_PATH}?{urlencode({'next': following})}"


@require(PUBLIC)
async def show_code(request: web.Request) -> web.Response:
    """Answer the form that asks for the code of the second factor."""
    return rendering.html(request, "code.html", following=signing.local(request.query.get("next")), said="")


@require(PUBLIC)
async def check_code(request: web.Request) -> web.Response:
    """Open the session, and go on; else the form again, with what was wrong in words."""
    given = await form(request, "code", "next")
    following = signing.local(given["next"])
    try:
        opened = await signing.second_factor(request, given["code"])
    except ProblemError as error:
        if error.kind not in _SAID:
            raise
        said = "code_wrong" if error.kind is problems.WRONG_CREDENTIALS else _SAID[error.kind]
        return rendering.html(request, "code.html", status=error.kind.status, following=following, said=said)
    answer = rendering.onward(following)
    signing.give(request, answer, opened)
    return answer


@require(PUBLIC)
async def show_enrolment(request: web.Request) -> web.Response:
    """Answer a new secret to who must have a second factor before anything opens."""
    following = signing.local(request.query.get("next"))
    async with doorkeeper(request) as connection:
        try:
            account_id = await signing.pending_account(request, connection)
        except ProblemError:  # too long ago, or in another browser
            raise web.HTTPSeeOther(PATH) from None
        known = await accounts.credential_of(connection, account_id)
        assert known is not None, "its session was there"
        if known.has_second_factor:
            raise web.HTTPSeeOther(CODE_PATH)
        secret = secrets.token_bytes(totp.SECRET_BYTES)
        await factors.propose(connection, request.app[signing.KEYRING], account_id, secret)
    return facteur.page(request, known.email, secret, action=ENROL_PATH, following=following)


@require(PUBLIC)
async def enrol(request: web.Request) -> web.Response:
    """Take the second factor once a code of it was shown, and open the session."""
    given = await form(request, "code", "next")
    following = signing.local(given["next"])
    try:
        opened = await signing.second_factor(request, given["code"])
    except ProblemError as error:
        if error.kind is not problems.WRONG_CREDENTIALS:
            raise
        async with doorkeeper(request) as connection:
            account_id = await signing.pending_account(request, connection)
            known = await factors.factor(connection, request.app[signing.KEYRING], account_id)
            person = await accounts.person(connection, account_id)
        if known is None or known.is_confirmed:
            raise
        return facteur.page(
            request, person.email, known.secret, action=ENROL_PATH, following=following, said="code_wrong"
        )
    answer = rendering.onward(following)
    signing.give(request, answer, opened)
    return answer


@require(PUBLIC)
async def show_forgotten(request: web.Request) -> web.Response:
    """Answer the form that asks for a link to choose a new password."""
    return rendering.html(request, "oubli.html", sent=False, available=mailing.is_available(request.app))


@require(PUBLIC)
async def forgotten(request: web.Request) -> web.Response:
    """Mail a link to whoever has an account of this e-mail; the answer is the same, and as quick, if nobody has."""
    given = await form(request, "email")
    email = given["email"].strip().lower()[:254]
    by_email, by_address = f"mail:{email}", f"mails-from:{remote(request)}"
    refuse_too_many(request, (by_email, _FREE_MAILS), (by_address, _FREE_ASKED))
    failed(request, by_email, by_address)  # each counts: nothing says that it was right to ask
    if mailing.is_available(request.app):
        work = mailing.send_link(request.app, "reset", email, actor=f"address {remote(request)}")
        request.app[mailing.BACKGROUND].send(work)
    return rendering.html(request, "oubli.html", sent=True, available=mailing.is_available(request.app))


@require(PUBLIC)
async def show_choice(request: web.Request) -> web.Response:
    """Answer the form in which the holder of an invitation or of a reset chooses a password."""
    found = await link(request.app[ACCOUNTS], digest(request.match_info["secret"]))
    if found is None or found.kind == "sign_in":
        raise ProblemError(problems.LINK_EXPIRED)
    return _choice(request, found.email, found.kind)


def _choice(request: web.Request, email: str, kind: str, said: str = "") -> web.Response:
    """Answer the form; an invitation can be accepted with an identity provider instead."""
    providers = [
        {"label": one.label, "href": f"/connexion/mot-de-passe/{request.match_info['secret']}/{one.name}"}
        for one in request.app[SETTINGS].oidc
        if kind == "invitation"
    ]
    status = 422 if said else 200
    return rendering.html(
        request, "motdepasse.html", status=status, email=email, least=MIN_LENGTH, said=said, providers=providers
    )


@require(PUBLIC)
async def choose(request: web.Request) -> web.Response:
    """Take the password and let in; else the form again, with what was wrong in words."""
    given = await form(request, "password", "email")
    try:
        opened = await signing.choose_password(request, request.match_info["secret"], given["password"])
    except WeakPasswordError as error:
        return _choice(request, given["email"][:254], "", f"weak_{error.reason}")
    answer = rendering.onward(_next(opened, "/"))
    signing.give(request, answer, opened)
    return answer


@require(PUBLIC)
async def show_link(request: web.Request) -> web.Response:
    """Answer the door with its button: looking at a link, as mail programs do, does not use it."""
    found = await link(request.app[ACCOUNTS], digest(request.match_info["secret"]))
    if found is None or found.kind != "sign_in":
        raise ProblemError(problems.LINK_EXPIRED)
    following = signing.local(request.query.get("next"))
    return rendering.html(request, "lien.html", following=following, who=found.name or found.email)


@require(PUBLIC)
async def use_link(request: web.Request) -> web.Response:
    """Open a session with the link, and go on."""
    given = await form(request, "next")
    opened = await signing.use_sign_in_link(request, request.match_info["secret"])
    answer = rendering.onward(signing.local(given["next"]))
    signing.give(request, answer, opened)
    return answer


@require(PUBLIC)
async def sign_out(request: web.Request) -> web.Response:
    """End the session and go back to the door, by the identity provider's when one came from there."""
    await form(request)
    provider, token = cookies.provider(request)
    known = {one.name for one in request.app[SETTINGS].oidc}
    answer = rendering.onward(f"/connexion/oidc/{provider}/fin" if token and provider in known else PATH)
    await signing.sign_out(request, answer)
    return answer


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PATH, sign_in),
    web.get(LINK_PATH, show_link),
    web.post(LINK_PATH, use_link),
    web.get(CODE_PATH, show_code),
    web.post(CODE_PATH, check_code),
    web.get(ENROL_PATH, show_enrolment),
    web.post(ENROL_PATH, enrol),
    web.get(FORGOTTEN_PATH, show_forgotten),
    web.post(FORGOTTEN_PATH, forgotten),
    web.get(CHOICE_PATH, show_choice),
    web.post(CHOICE_PATH, choose),
    web.post(OUT_PATH, sign_out),
)
