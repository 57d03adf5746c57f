"""What a form of our own pages sends."""

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from api import problems
from api.access import refuse_cross_site
from api.bodies import read_bytes
from api.problems import ProblemError

_MAX_FIELDS: Final = 200


async def form(request: web.Request, *names: str) -> dict[str, str]:
    """Return the fields of a form, those named alone, "" for one that is not there.

    Raises ProblemError for a form that is not of our pages (its Origin, docs/access.md: it needs no token), and for
    one with other fields.
    """
    fields = dict(await pairs(request))
    if not set(names) >= fields.keys():
        raise ProblemError(problems.INVALID_BODY)
    return {name: fields.get(name, "") for name in names}


async def pairs(request: web.Request) -> list[tuple[str, str]]:
    """Return (name, value) of every field in order, for a form whose fields repeat. Raises ProblemError as `form`."""
    refuse_cross_site(request)
    try:
        return parse_qsl((await read_bytes(request)).decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise ProblemError(problems.INVALID_BODY) from None
