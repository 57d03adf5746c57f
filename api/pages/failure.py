"""The page that says in words that something could not be shown."""

from typing import Final

from aiohttp import web

from api import problems
from api.pages import rendering
from api.problems import ProblemError

_WORDS: Final = {
    problems.NOT_FOUND.name: "not_found",
    problems.UNAUTHENTICATED.name: "forbidden",
    problems.FORBIDDEN.name: "forbidden",
    problems.IDENTITY_REFUSED.name: "identity_refused",
    problems.IDENTITY_UNKNOWN.name: "identity_unknown",
    problems.PROVIDER_UNAVAILABLE.name: "provider_unavailable",
    problems.CROSS_SITE.name: "cross_site",
    problems.LINK_EXPIRED.name: "link_expired",
    problems.TOO_MANY_TRIES.name: "too_many",
    problems.UNAVAILABLE.name: "unavailable",
    problems.INTERNAL.name: "internal",
}


def response(request: web.Request, error: ProblemError) -> web.Response:
    """Return the page of a problem, with its status."""
    words = _WORDS.get(error.kind.name, "refused")
    return rendering.html(request, "failure.html", status=error.kind.status, words=words)
