"""JSON answers with an entity tag, so that what did not change is not sent again."""

import hashlib
from typing import Final

from aiohttp import ETag, hdrs, web
from pydantic import BaseModel

_PRIVATE: Final = "private, no-cache"  # kept by the reader alone, and asked again each time


def json_answer(request: web.Request, model: BaseModel) -> web.Response:
    """Return the model as JSON, or 304 when the reader holds it already. A page of a list links to the next one."""
    body = model.model_dump_json().encode()
    answer = web.Response(body=body, content_type="application/json")
    next_cursor = getattr(model, "next_cursor", None)
    if next_cursor is not None:
        address = request.rel_url.update_query(cursor=next_cursor)
        answer.headers[hdrs.LINK] = f'<{address}>; rel="next"'
    return tagged(request, answer, body)


def tagged(request: web.Request, answer: web.Response, body: bytes) -> web.Response:
    """Return the answer with the entity tag of its body, or 304 without body."""
    tag = hashlib.blake2b(body, digest_size=16).hexdigest()
    asked = request.if_none_match or ()
    if any(etag.value in {tag, "*"} for etag in asked):
        answer = web.Response(status=304)
    answer.etag = ETag(tag)
    answer.headers[hdrs.CACHE_CONTROL] = _PRIVATE
    return answer
