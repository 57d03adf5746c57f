"""The cookies of a session: of this host alone, unknown to scripts, not sent from other sites but by a link."""

from typing import Final

from aiohttp import web

from api.context import SETTINGS

_SESSION: Final = "samara"
_PENDING: Final = "samara_pending"
_ATTEMPT: Final = "samara_attempt"
_PROVIDER: Final = "samara_provider"


def _name(request: web.Request, name: str) -> str:
    """Over TLS a browser takes a `__Host-` cookie from this very host alone, not from a neighbour of its domain."""
    return f"__Host-{name}" if request.app[SETTINGS].https else name


def session(request: web.Request) -> str | None:
    """Return the secret of the session that the browser says it has."""
    return request.cookies.get(_name(request, _SESSION))


def pending(request: web.Request) -> str | None:
    """Return the secret of a session that waits for its second factor."""
    return request.cookies.get(_name(request, _PENDING))


def attempt(request: web.Request) -> str | None:
    """Return the secret of a sign-in that went to an identity provider from this browser."""
    return request.cookies.get(_name(request, _ATTEMPT))


def give_attempt(request: web.Request, answer: web.StreamResponse, secret: str) -> None:
    """Let the browser keep what the provider's answer will be met with."""
    _give(request, answer, _ATTEMPT, secret)


def take_attempt(request: web.Request, answer: web.StreamResponse) -> None:
    """Let the browser forget it."""
    _take(request, answer, _ATTEMPT)


def provider(request: web.Request) -> tuple[str, str]:
    """Return the provider by which one signed in, and the token that signs out there; twice '' when by none."""
    name, _, token = request.cookies.get(_name(request, _PROVIDER), "").partition(".")
    return name, token


def give_provider(request: web.Request, answer: web.StreamResponse, name: str, token: str) -> None:
    """Let the browser keep by which provider one signed in, to sign out there too."""
    _give(request, answer, _PROVIDER, f"{name}.{token}")


def take_provider(request: web.Request, answer: web.StreamResponse) -> None:
    """Let the browser forget it."""
    _take(request, answer, _PROVIDER)


def give_session(request: web.Request, answer: web.StreamResponse, secret: str) -> None:
    """Let the browser keep a session until it is closed; it waits for nothing more."""
    _give(request, answer, _SESSION, secret)
    _take(request, answer, _PENDING)


def give_pending(request: web.Request, answer: web.StreamResponse, secret: str) -> None:
    """Let the browser keep what waits for its second factor."""
    _give(request, answer, _PENDING, secret)


def take_session(request: web.Request, answer: web.StreamResponse) -> None:
    """Let the browser forget it all."""
    _take(request, answer, _SESSION)
    _take(request, answer, _PENDING)


def _give(request: web.Request, answer: web.StreamResponse, name: str, secret: str) -> None:
    answer.set_cookie(
        _name(request, name), secret, path="/", secure=request.app[SETTINGS].https, httponly=True, samesite="Lax"
    )


def _take(request: web.Request, answer: web.StreamResponse, name: str) -> None:
    answer.del_cookie(_name(request, name), path="/", secure=request.app[SETTINGS].https, httponly=True, samesite="Lax")
