"""Bodies of requests, read no further than they may be."""

from typing import Final

from aiohttp import hdrs, web

from api import problems
from api.problems import ProblemError

MAX_BYTES: Final = 1024 * 1024


async def read_bytes(request: web.Request, limit: int = MAX_BYTES) -> bytes:
    """Return the body; raise ProblemError when it is larger than `limit`, without reading more of it."""
    if int(request.headers.get(hdrs.CONTENT_LENGTH, "0")) > limit:
        raise ProblemError(problems.TOO_LARGE)
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise ProblemError(problems.TOO_LARGE)
    return bytes(body)
