"""Errors as RFC 9457 problem details. A problem's `type` is stable; programs test it, people read the rest."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from aiohttp import web

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """One sort of problem: the end of its `type` URN, its HTTP status and its title."""

    name: str
    status: int
    title: str


INVALID_PARAMETER: Final = Kind("invalid-parameter", 400, "A parameter of the request is missing or wrong.")
TOO_MANY_POINTS: Final = Kind("too-many-points", 400, "The answer would hold too many points.")
NOT_FOUND: Final = Kind("not-found", 404, "There is no such thing here.")
METHOD_NOT_ALLOWED: Final = Kind("method-not-allowed", 405, "This address does not take that method.")
REFUSED: Final = Kind("refused", 400, "The request was refused.")
TOO_MANY_STREAMS: Final = Kind("too-many-streams", 503, "This server has as many live streams as it may have.")
UNAVAILABLE: Final = Kind("unavailable", 503, "The database does not answer; try again in a moment.")
INTERNAL: Final = Kind("internal", 500, "The server failed; the failure was recorded.")

KINDS: Final = (
    INVALID_PARAMETER,
    TOO_MANY_POINTS,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    REFUSED,
    TOO_MANY_STREAMS,
    UNAVAILABLE,
    INTERNAL,
)


class ProblemError(Exception):
    """The request cannot be answered; `response()` says why."""

    def __init__(self, kind: Kind, detail: str = "", **extensions: Any) -> None:
        super().__init__(f"{kind.name}: {detail}")
        self.kind = kind
        self.detail = detail
        self.extensions = extensions


def invalid_parameter(field: str, detail: str, accepted: str) -> ProblemError:
    """Return the problem of one query parameter: what is wrong with it, and what would be right."""
    return ProblemError(
        INVALID_PARAMETER,
        f"{field}: {detail}. Accepted: {accepted}.",
        errors=[{"field": field, "detail": detail, "accepted": accepted}],
    )


def response(error: ProblemError, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the answer that tells a problem. It repeats nothing of the path: a foreign id reads as an absent one."""
    kind = error.kind
    body = {"type": f"urn:samara:problem:{kind.name}", "title": kind.title, "status": kind.status}
    if error.detail:
        body["detail"] = error.detail
    body |= error.extensions
    return web.Response(
        status=kind.status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
