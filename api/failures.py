"""Turn every failure into an answer: a problem for programs, a page in words for people."""

from typing import Final
from urllib.parse import urlencode

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from api import problems
from api.access import visitor
from api.guesses import remote
from api.metrics import route_of
from api.pages import failure as failure_page
from api.pages.rendering import onward
from api.pages.texts import preferred
from api.problems import ProblemError
from domain.errors import NotFoundError, StoreUnavailableError
from store.pool import TRANSIENT

log: Final = structlog.get_logger("api")

# What an attack meets, told each time: which route, by whom, from where; never what was sent.
_WATCHED: Final = frozenset(
    {
        problems.FORBIDDEN,
        problems.CROSS_SITE,
        problems.TOO_MANY_TRIES,
        problems.IDENTITY_REFUSED,
        problems.IDENTITY_UNKNOWN,
    }
)
_RETRY_AFTER_S: Final = "5"
_MACHINE_PATHS: Final = ("/api/", "/healthz", "/readyz", "/metrics")


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer what the handler could not, and log once what an operator must know."""
    try:
        return await handler(request)
    except ProblemError as error:
        return _tell(request, error)
    except NotFoundError:
        return _tell(request, ProblemError(problems.NOT_FOUND))
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        return _tell(request, _of_http(error), error.headers.get(hdrs.ALLOW))
    except ConnectionResetError:
        raise  # the reader went away: nobody is there to be told
    except (StoreUnavailableError, *TRANSIENT) as error:
        log.warning("database unavailable", path=request.path, error=repr(error))
        return _tell(request, ProblemError(problems.UNAVAILABLE))
    except Exception:
        log.exception("request failed", method=request.method, path=request.path)
        return _tell(request, ProblemError(problems.INTERNAL))


def _of_http(error: web.HTTPException) -> ProblemError:
    known = {404: problems.NOT_FOUND, 405: problems.METHOD_NOT_ALLOWED}
    kind = known.get(error.status, problems.REFUSED._replace(status=error.status))
    return ProblemError(kind)


def _tell(request: web.Request, error: ProblemError, allow: str | None = None) -> web.Response:
    if error.kind in _WATCHED:
        account = visitor(request)
        log.warning(
            "request refused",
            kind=error.kind.name,
            method=request.method,
            route=route_of(request),
            account_id=None if account is None else account.account_id,
            address=remote(request),
        )
    if request.path.startswith(_MACHINE_PATHS):
        language = preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE) or "en")
        answer = problems.response(error, language)
    elif error.kind is problems.SIGN_IN_AGAIN:
        following = request.path_qs if request.method == hdrs.METH_GET else "/compte"
        answer = onward("/connexion?" + urlencode({"encore": "", "next": following}))
    else:
        answer = failure_page.response(request, error)
    if error.kind.status == web.HTTPServiceUnavailable.status_code:
        answer.headers[hdrs.RETRY_AFTER] = _RETRY_AFTER_S
    if "retry_after_s" in error.extensions:
        answer.headers[hdrs.RETRY_AFTER] = str(error.extensions["retry_after_s"])
    if error.kind is problems.UNAUTHENTICATED:
        answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if allow is not None:
        answer.headers[hdrs.ALLOW] = allow
    return answer
