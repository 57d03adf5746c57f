"""The page on which a second factor is added: a QR code, the same in letters, and the form that confirms it."""

import io

import segno
from aiohttp import web
from markupsafe import Markup

from api import totp
from api.pages import rendering


def page(
    request: web.Request, email: str, secret: bytes, *, action: str, following: str = "", said: str = ""
) -> web.Response:
    """Return the page; `action` is where its form goes, `following` where one goes on after that."""
    drawn = io.BytesIO()
    code = segno.make(totp.uri(secret, email), error="m")
    code.save(drawn, kind="svg", scale=4, border=4, xmldecl=False, svgns=False, light="#fff", omitsize=True)
    answer = rendering.html(
        request,
        "second_facteur.html",
        status=422 if said else 200,
        picture=Markup(drawn.getvalue().decode()),  # noqa: S704 - squares drawn by segno, no text of anybody
        key=totp.written(secret),
        said=said,
        action=action,
        following=following,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
