"""Who asks, and what a route needs of them. Every route says so; one that does not stops the start.

    @require(READ)
    async def list_sites(request: web.Request) -> web.Response: ...

A permission is checked twice: here that the account has it somewhere, and by `tenancy.tenant_of` that it has it on the
tenant that the request names. Whatever both forget, the database shows nothing else (docs/access.md).
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from api import cookies, guesses, problems
from api.context import ACCOUNTS, BEARER, POOL, SETTINGS
from api.problems import ProblemError
from domain.errors import ConfigurationError
from store.access import sessions
from store.access.bearer import Account, who_is

UNASKED: Final = "unasked"  # nobody is asked who they are: health, and what has a secret of its own
PUBLIC: Final = "public"  # anybody
SIGNED_IN: Final = "signed_in"  # any account
HEALTH: Final = "health"  # how sensors fare, not what they say
READ: Final = "read"  # measurements
MANAGE: Final = "manage"  # alerts, contacts, reports
INSTALL: Final = "install"  # install, replace, move
SUPERVISE: Final = "supervise"  # network and gateways
ADMINISTER: Final = "administer"  # accounts and grants

PERMISSIONS: Final = (HEALTH, READ, MANAGE, INSTALL, SUPERVISE, ADMINISTER)

_SAFE: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_TOUCH_AFTER_S: Final = 60.0
_KEY: Final = re.compile(r"Bearer (smr_[A-Za-z0-9_-]{43})\Z")
_NEEDS: Final = "__samara_needs__"
_ACCOUNT: Final = web.RequestKey("account", Account)

Handled = TypeVar("Handled", bound=Callable[..., Awaitable[Any]])


def require(needs: str) -> Callable[[Handled], Handled]:
    """Declare what a handler needs: UNASKED, PUBLIC, SIGNED_IN or one of PERMISSIONS."""
    if needs not in {UNASKED, PUBLIC, SIGNED_IN, *PERMISSIONS}:
        raise ConfigurationError(f"{needs!r} is nothing that a route can need")

    def declare(handler: Handled) -> Handled:
        setattr(getattr(handler, "__func__", handler), _NEEDS, needs)  # a method keeps nothing itself
        return handler

    return declare


def needs_of(request: web.Request) -> str:
    """Return what the handler of this request needs."""
    needs = declared(request.match_info.handler)
    assert needs is not None, "all_declared looked at each at the start"
    return needs


def declared(handler: object) -> str | None:
    """Return what a handler says that it needs; of an endpoint (api.endpoint) the one behind says it."""
    behind = getattr(getattr(handler, "__self__", None), "handler", None)
    needs: str | None = getattr(handler if behind is None else behind, _NEEDS, None)
    return needs


async def all_declared(app: web.Application) -> None:
    """Raise ConfigurationError naming the routes that do not say what they need (a handler of `on_startup`)."""
    silent = [
        f"{route.method} {route.resource.canonical if route.resource else '?'}"
        for route in app.router.routes()
        if not isinstance(route.resource, web.StaticResource) and declared(route.handler) is None
    ]
    if silent:
        raise ConfigurationError(f"routes without @require(…): {', '.join(sorted(silent))}")


def digest(secret: str) -> bytes:
    """Return what of a cookie, a key or a link goes to the database, which keeps a digest of this again."""
    return hashlib.sha256(secret.encode()).digest()


def account_of(request: web.Request) -> Account:
    """Return who asks. Raises ProblemError when nobody is signed in."""
    account = visitor(request)
    if account is None:
        raise ProblemError(problems.UNAUTHENTICATED)
    return account


def visitor(request: web.Request) -> Account | None:
    """Return who asks, None when nobody is signed in."""
    found: Account | None = request.get(_ACCOUNT)
    return found


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks; let pass who has what the route needs."""
    if request.match_info.http_exception is not None or isinstance(
        request.match_info.route.resource, web.StaticResource
    ):
        return await handler(request)
    needs = needs_of(request)
    if needs == UNASKED:
        return await handler(request)
    secret, by_cookie = _secret(request)
    if by_cookie and secret is not None and request.method not in _SAFE:
        refuse_cross_site(request)
    if secret is not None:
        if not by_cookie:
            guesses.refuse_too_many(request, (f"key:{guesses.remote(request)}", guesses.FREE_BY_ADDRESS))
        bearer = digest(secret)
        account = await who_is(request.app[POOL], bearer)
        if account is not None:
            request[_ACCOUNT], request[BEARER] = account, bearer
            await _touch(request, account)
        elif not by_cookie:
            guesses.failed(request, f"key:{guesses.remote(request)}")
    if needs != PUBLIC:
        _check(request, needs)
    return await handler(request)


def _secret(request: web.Request) -> tuple[str | None, bool]:
    """Return the secret that the request bears, and whether the browser sends it by itself."""
    given = request.headers.get(hdrs.AUTHORIZATION)
    if given is not None:
        match = _KEY.match(given)
        return (match[1] if match else None), False
    return cookies.session(request), True


def _check(request: web.Request, needs: str) -> None:
    account = visitor(request)
    if account is None:
        if request.path.startswith("/api/") or request.method not in _SAFE:
            raise ProblemError(problems.UNAUTHENTICATED)
        raise web.HTTPSeeOther("/connexion?" + urlencode({"next": request.path_qs}))
    if needs != SIGNED_IN and needs not in account.permissions:
        raise ProblemError(problems.FORBIDDEN, f"It takes the permission `{needs}`, which no role of this account has.")


async def _touch(request: web.Request, account: Account) -> None:
    """Note that the session is used, now and then: it ends when nothing comes for long."""
    if account.session_id is not None and (account.idle_s or 0) > _TOUCH_AFTER_S:
        await sessions.touch(request.app[ACCOUNTS], account.session_id)


def refuse_cross_site(request: web.Request) -> None:
    """Raise ProblemError unless a page of this very site asks, where the browser sends its cookie by itself."""
    scheme = "https" if request.app[SETTINGS].https else "http"
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.headers.get(hdrs.ORIGIN) != f"{scheme}://{request.host}" or site != "same-origin":
        raise ProblemError(problems.CROSS_SITE)
