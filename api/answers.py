"""JSON answers with an entity tag, so that what did not change is not sent again."""

import hashlib
import inspect
from typing import Any, Final, get_args, get_origin

import msgspec
from aiohttp import ETag, hdrs, web
from pydantic import BaseModel

from api.problems import CHANGED_MEANWHILE, ProblemError, invalid_parameter

FIELDS: Final = "fields"
_LISTS: Final = frozenset({"items", "series"})  # what the members that list things are called
_PRIVATE: Final = "private, no-cache"  # kept by the reader alone, and asked again each time


def item_of(model: type[BaseModel]) -> type[BaseModel]:
    """Return the model of what an answer lists; of one that is no list, itself."""
    listed = _list_of(model)
    return model if listed is None else listed[1]


def _list_of(model: type[BaseModel]) -> tuple[str, type[BaseModel]] | None:
    """Return the member that lists things, and the model of these."""
    for name in _LISTS & model.model_fields.keys():
        annotation = model.model_fields[name].annotation
        (item,) = get_args(annotation) if get_origin(annotation) is list else (None,)
        if inspect.isclass(item) and issubclass(item, BaseModel):
            return name, item
    return None


def selectable(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the members that `fields` may choose of: those of a thing, alone or in a list."""
    return tuple(item_of(model).model_fields)


def json_answer(
    request: web.Request, model: BaseModel, *, fields: tuple[str, ...] = (), status: int = 200
) -> web.Response:
    """Return the model as JSON, or 304 when the reader holds it already. A page of a list links to the next one."""
    chosen = _chosen(request, fields)
    body = _written(model) if chosen is None else msgspec.json.encode(_selected(model, chosen))
    answer = web.Response(body=body, content_type="application/json", status=status)
    next_cursor = getattr(model, "next_cursor", None)
    if next_cursor is not None:
        address = request.rel_url.update_query(cursor=next_cursor)
        answer.headers[hdrs.LINK] = f'<{address}>; rel="next"'
    return tagged(request, answer, body)


def _chosen(request: web.Request, fields: tuple[str, ...]) -> frozenset[str] | None:
    asked = request.query.get(FIELDS)
    if asked is None or not fields:
        return None
    chosen = frozenset(asked.split(","))
    if not chosen <= set(fields):
        raise invalid_parameter(FIELDS, "it names what is not there", ", ".join(fields))
    return chosen


def _selected(model: BaseModel, chosen: frozenset[str]) -> dict[str, Any]:
    """Return the members that were chosen, of the thing or of each one of its list."""
    whole: dict[str, Any] = msgspec.to_builtins(model, enc_hook=dict)
    listed = _list_of(type(model))
    if listed is None:
        return {name: value for name, value in whole.items() if name in chosen}
    name, _ = listed
    kept = [{member: value for member, value in one.items() if member in chosen} for one in whole[name]]
    return {**whole, name: kept}


def refuse_changed(request: web.Request, model: BaseModel) -> None:
    """Raise ProblemError when If-Match names another state of the thing than this, which is how it is told whole."""
    tag = _tag(_written(model))
    if request.if_match is not None and all(etag.value not in {tag, "*"} for etag in request.if_match):
        raise ProblemError(CHANGED_MEANWHILE)


def _written(model: BaseModel) -> bytes:
    """Return the model as JSON: a fifth of the time that pydantic takes to look at each row of a chart."""
    return msgspec.json.encode(model, enc_hook=dict)


def _tag(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def tagged(request: web.Request, answer: web.Response, body: bytes) -> web.Response:
    """Return the answer with the entity tag of its body, or 304 without body when it was read and is the same."""
    tag = _tag(body)
    asked = request.if_none_match or ()
    if request.method in {hdrs.METH_GET, hdrs.METH_HEAD} and any(etag.value in {tag, "*"} for etag in asked):
        answer = web.Response(status=304)
    answer.etag = ETag(tag)
    answer.headers[hdrs.CACHE_CONTROL] = _PRIVATE
    return answer
