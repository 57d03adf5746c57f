"""Turn every failure into an answer: a problem for programs, a page in words for people."""

from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from api import problems
from api.pages import failure as failure_page
from api.pages.texts import preferred
from api.problems import ProblemError
from domain.errors import NotFoundError, StoreUnavailableError
from store.pool import TRANSIENT

log: Final = structlog.get_logger("api")

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
    if request.path.startswith(_MACHINE_PATHS):
        language = preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE) or "en")
        answer = problems.response(error, language)
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
