"""What every public answer has: a bound on how often, a licence, an entity tag, and leave to be kept for an hour."""

import math
from datetime import timedelta
from typing import Final

from aiohttp import ETag, hdrs, web

from api import guesses
from api.context import CLOCK, SETTINGS
from api.problems import TOO_MANY_REQUESTS, ProblemError
from api.rates import Rates

RATES: Final = web.AppKey("open_data_rates", Rates)
BASE: Final = "/api/open"
LICENCE: Final = "etalab-2.0"
LICENCE_URL: Final = "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf"
_HEADERS: Final = {
    hdrs.CACHE_CONTROL: "public, max-age=3600",
    hdrs.LINK: f'<{LICENCE_URL}>; rel="license"',
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def refuse_too_many(request: web.Request) -> None:
    """Raise ProblemError when this address asks too often."""
    wait = request.app[RATES].take(guesses.remote(request), request.app[CLOCK]())
    if wait > timedelta(0):
        raise ProblemError(TOO_MANY_REQUESTS, retry_after_s=math.ceil(wait.total_seconds()))


def kept(request: web.Request, tag: str) -> web.Response | None:
    """Return 304 when the reader holds what has this tag."""
    if any(etag.value in {tag, "*"} for etag in request.if_none_match or ()):
        answer = web.Response(status=304)
        free(answer, tag)
        return answer
    return None


def free(answer: web.StreamResponse, tag: str) -> None:
    """Give an answer the headers of what everybody may read and keep."""
    answer.headers.update(_HEADERS)
    answer.etag = ETag(tag)


def root(request: web.Request) -> str:
    """Return the address of open data, as people reach it."""
    return (request.app[SETTINGS].public_url or str(request.url.origin())) + BASE
