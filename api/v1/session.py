"""Sign in and out, and who is signed in."""

from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field

from api import models, problems, signing
from api.access import PUBLIC, SIGNED_IN, account_of, refuse_cross_site, require
from api.endpoint import door, get
from api.parameters import Asked

PATH: Final = "/api/v1/session"


class SignIn(Asked):
    """An e-mail and a password."""

    email: Annotated[str, Field(min_length=1, max_length=254, description="of the account")]
    password: Annotated[str, Field(min_length=1, max_length=1000, description="of the account")]


@require(PUBLIC)
async def open_session(request: web.Request, body: SignIn) -> web.StreamResponse:
    """Sign in, and have a session's cookie.

    The status is `open`, `second_factor` when a code is still to be shown, or `factor_to_add` when a role asks for a
    second factor and there is none yet: it is added on the page /connexion/second-facteur.
    """
    if hdrs.ORIGIN in request.headers:  # only browsers say it, and they always do; others have no cookie to be abused
        refuse_cross_site(request)
    opened = await signing.sign_in(request, body.email, body.password)
    waits = "factor_to_add" if opened.lacks_factor else "second_factor"
    answer = web.json_response({"status": waits if opened.is_pending else "open"}, status=201)
    signing.give(request, answer, opened)
    return answer


class Code(Asked):
    """A code of the second factor."""

    code: Annotated[str, Field(min_length=6, max_length=20, description="six digits")]


@require(PUBLIC)
async def show_code(request: web.Request, body: Code) -> web.StreamResponse:
    """Show the second factor, and have a session's cookie."""
    if hdrs.ORIGIN in request.headers:
        refuse_cross_site(request)
    opened = await signing.second_factor(request, body.code)
    answer = web.json_response({"status": "open"}, status=201)
    signing.give(request, answer, opened)
    return answer


@require(SIGNED_IN)
async def show_session(request: web.Request) -> models.Session:
    """Tell who is signed in, and what they may do on some tenant."""
    account = account_of(request)
    return models.Session(
        email=account.email,
        name=account.name,
        language=account.language,
        permissions=sorted(account.permissions),
        has_second_factor=account.has_second_factor,
    )


@require(PUBLIC)
async def close_session(request: web.Request) -> web.StreamResponse:
    """Sign out. It is the same when nobody was signed in."""
    answer = web.Response(status=204)
    await signing.sign_out(request, answer)
    return answer


_REFUSED: Final = (problems.WRONG_CREDENTIALS, problems.CROSS_SITE, problems.TOO_MANY_TRIES)
ROUTES: Final = (
    door(hdrs.METH_POST, PATH, open_session, status=201, answer=models.Opened, problems=_REFUSED),
    door(hdrs.METH_POST, f"{PATH}/second-factor", show_code, status=201, answer=models.Opened, problems=_REFUSED),
    get(PATH, show_session),
    door(hdrs.METH_DELETE, PATH, close_session, status=204),
)
