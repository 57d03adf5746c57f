"""Sign in and out: /connexion, /connexion/lien/<secret>, /deconnexion."""

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from api import problems, signing
from api.access import PUBLIC, digest, require, visitor
from api.context import ACCOUNTS
from api.pages import rendering
from api.pages.forms import form
from api.passwords import MIN_LENGTH, WeakPasswordError
from api.problems import ProblemError
from store.access.links import link

PATH: Final = "/connexion"
LINK_PATH: Final = "/connexion/lien/{secret}"
CODE_PATH: Final = "/connexion/code"
CHOICE_PATH: Final = "/connexion/mot-de-passe/{secret}"
OUT_PATH: Final = "/deconnexion"

_SAID: Final = {problems.WRONG_CREDENTIALS: "wrong", problems.TOO_MANY_TRIES: "too_many"}


@require(PUBLIC)
async def show(request: web.Request) -> web.Response:
    """Answer the form, or the way on for who is signed in already."""
    following = signing.local(request.query.get("next"))
    if visitor(request) is not None:
        raise web.HTTPSeeOther(following)
    return rendering.html(request, "connexion.html", following=following, email="", said="")


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
        answer = rendering.html(
            request,
            "connexion.html",
            status=error.kind.status,
            following=following,
            email=given["email"][:254],
            said=_SAID[error.kind],
        )
        if "retry_after_s" in error.extensions:
            answer.headers["Retry-After"] = str(error.extensions["retry_after_s"])
        return answer
    on = f"{CODE_PATH}?{urlencode({'next': following})}" if opened.is_pending else following
    answer = rendering.onward(on)
    signing.give(request, answer, opened)
    return answer


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
async def show_choice(request: web.Request) -> web.Response:
    """Answer the form in which the holder of an invitation or of a reset chooses a password."""
    found = await link(request.app[ACCOUNTS], digest(request.match_info["secret"]))
    if found is None or found.kind == "sign_in":
        raise ProblemError(problems.LINK_EXPIRED)
    return rendering.html(request, "motdepasse.html", email=found.email, least=MIN_LENGTH, said="")


@require(PUBLIC)
async def choose(request: web.Request) -> web.Response:
    """Take the password and let in; else the form again, with what was wrong in words."""
    given = await form(request, "password", "email")
    try:
        opened = await signing.choose_password(request, request.match_info["secret"], given["password"])
    except WeakPasswordError as error:
        said = f"weak_{error.reason}"
        return rendering.html(
            request, "motdepasse.html", status=422, email=given["email"][:254], least=MIN_LENGTH, said=said
        )
    answer = rendering.onward(CODE_PATH if opened.is_pending else "/")
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
    """End the session and go back to the door."""
    await form(request)
    answer = rendering.onward(PATH)
    await signing.sign_out(request, answer)
    return answer


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PATH, sign_in),
    web.get(LINK_PATH, show_link),
    web.post(LINK_PATH, use_link),
    web.get(CODE_PATH, show_code),
    web.post(CODE_PATH, check_code),
    web.get(CHOICE_PATH, show_choice),
    web.post(CHOICE_PATH, choose),
    web.post(OUT_PATH, sign_out),
)
